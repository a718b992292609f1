import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Servers with the configured role, and servers with another.
    @Suite("Roles")
    struct RoleTests {
        private struct Entry: Decodable {
            let name: String
            let state: String
            let reason: String?
            let detail: String?
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func everyServerIsKnownByItsRole(_ engine: Laboratory.Engine) async throws {
            let right = engine.configuration(primary: "role: primary", replica: "role: replica")
            let up = try await ping(right)
            #expect(up.values.allSatisfy { $0.state == "up" && $0.reason == nil })

            let wrong = engine.configuration(primary: "role: replica", replica: "role: primary")
            let down = try await ping(wrong)
            #expect(down.values.allSatisfy { $0.state == "down" && $0.reason == "wrong role" })
            let promoted = "127.0.0.1:\(engine.primaryPort): is a primary, not a replica: it was promoted"
            #expect(down["default"]?.detail == promoted)
            let what = engine == .postgres ? "is a replica, not a primary" : "is read-only, not a primary"
            #expect(down["slave"]?.detail == "127.0.0.1:\(engine.replicaPort): \(what)")
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func replicaThatIsPromotedServesNobody(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(
                configuration: engine.configuration(primary: "role: primary", replica: "role: replica"))
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })

            try await engine.fault("promote")
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(await failover.logs("reason=\"wrong role\""))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)

            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await failover.end()
        }

        /// The result of `failover ping --json` for each alias.
        private func ping(_ configuration: String) async throws -> [String: Entry] {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("failover-\(UUID()).yaml")
            try configuration.write(to: file, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(at: file) }
            let output = try await Command.run([FailoverProcess.binary, "ping", "--json", "--config", file.path])
            let entries = try JSONDecoder().decode([Entry].self, from: Data(output.standardOutput.utf8))
            return Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })
        }
    }
}
