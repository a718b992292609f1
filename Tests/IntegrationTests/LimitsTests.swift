import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Limits of sessions and of time, and closing messages, with real servers and real drivers.
    @Suite("Limits")
    struct LimitsTests {
        private static let program = "\(Laboratory.root)/Tests/IntegrationTests/Clients/limits.py"

        private func clients(_ arguments: String...) async throws -> [String] {
            let output = try await Command.run(["timeout", "120", "/usr/bin/python3", "-B", Self.program] + arguments)
            guard output.status == 0 else { throw CommandFailure(output: output) }
            return output.standardOutput.split(separator: "\n").map(String.init)
        }

        /// Case 9.
        @Test func aClientIsServedThoughItsServerHasEndedTheSessionsOfThoseWhoHoldAllPlaces() async throws {
            let failover = try FailoverProcess(
                configuration: Laboratory.Engine.postgres.configuration(route: "max_connections: 3"))
            #expect(try await clients("held", "\(try await failover.port())", "3") == ["1"])
            try await failover.end()
        }

        /// Case 7.
        @Test func queriesAreCancelledThoughTheRouteIsFull() async throws {
            let failover = try FailoverProcess(
                configuration: Laboratory.Engine.postgres.configuration(route: "max_connections: 2"))
            let port = try await failover.port()
            #expect(try await clients("cancel", "\(port)") == ["cancelled", "cancelled"])
            try await failover.end()
        }

        /// Case 10.
        @Test func aServerThatDoesNotReadForThreeTimesTheUserTimeoutIsNotCut() async throws {
            let engine = Laboratory.Engine.postgres
            let primary = try #require(UInt16(exactly: engine.primaryPort))
            let failover = try FailoverProcess(
                configuration: engine.configuration(route: "tcp_user_timeout: 2s", ports: [primary, primary]))
            let port = try await failover.port()
            #expect(try await clients("copy", "\(port)", "6") == ["300"])
            try await failover.end()
        }

        /// Cases 10 and 35.
        @Test(.enabled(if: getuid() == 0, "needs root: a network namespace of its own"))
        func aClientWithoutRoomIsServedAndOneThatVanishesInTheMidstOfAResultIsNotKept() async throws {
            let path = "\(Laboratory.root)/Tests/IntegrationTests/Clients/stalls.py"
            let output = try await Command.run(
                ["timeout", "120", "/usr/bin/python3", "-B", path, FailoverProcess.binary])
            #expect(output.status == 0, "\(output)")
        }

        /// Case 18.
        @Test(arguments: Laboratory.Engine.allCases)
        func aSessionThatWaitsForItsServerIsNotIdleAndAnIdleOneIsToldSo(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(configuration: engine.configuration(route: "idle_timeout: 1s"))
            let port = try await failover.port()
            let lines = try await clients("waits", engine.rawValue, "\(port)", "3")
            #expect(lines.first == "answered")
            #expect(lines.last?.contains(engine == .postgres ? "idle_timeout" : "4031") == true, "\(lines)")
            try await failover.end()
        }

        /// Case 27.
        @Test(.needsMariaDB) func mariaDBsWordsOnAStatementThatIsTooLongReachTheClient() async throws {
            let engine = Laboratory.Engine.mariadb
            let failover = try FailoverProcess(configuration: engine.configuration())
            let port = try await failover.port()
            let client = """
                { printf "select length('"; head -c 24000000 /dev/zero | tr '\\0' x; printf "');\\n"; } | timeout 60 mariadb \
                --no-defaults --skip-ssl --max-allowed-packet=64M -h 127.0.0.1 -P \(port) -u app -D app
                """
            for _ in 0..<10 {
                let output = try await Command.run(["bash", "-c", client], environment: ["MYSQL_PWD": "app-secret"])
                #expect(output.standardError.contains("ERROR 1153"), "\(output)")
            }
            try await failover.end()
        }

        /// Case 28.
        @Test(arguments: Laboratory.Engine.allCases)
        func idleSessionsAreToldThatTheProxyShutsDown(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(configuration: "shutdown_grace: 60s\n" + engine.configuration())
            let port = try await failover.port()
            let files = FileManager.default.temporaryDirectory.appendingPathComponent("failover-\(UUID())").path
            defer { for name in ["out", "in"] { try? FileManager.default.removeItem(atPath: "\(files).\(name)") } }
            let program = """
                mkfifo \(files).in; timeout 60 /usr/bin/python3 -B \(Self.program) idle \(engine.rawValue) \(port) \
                < \(files).in > \(files).out & exec 3> \(files).in; while ! [ -e \(files).go ]; do sleep 0.05; done
                echo >&3; wait
                """
            let client = Task { try await Command.run(["bash", "-c", program]) }
            let said = { @Sendable () -> String in (try? String(contentsOfFile: "\(files).out", encoding: .utf8)) ?? ""
            }
            #expect(await eventually { said().contains("idle") })
            let start = ContinuousClock.now
            try await failover.end()
            // Long before the grace period is over.
            #expect(ContinuousClock.now - start < .seconds(30))
            try Data().write(to: URL(fileURLWithPath: "\(files).go"))
            _ = try await client.value
            try? FileManager.default.removeItem(atPath: "\(files).go")
            let message = said().split(separator: "\n").last ?? ""
            #expect(message.contains(engine == .postgres ? "the proxy shuts down" : "1053"), "\(message)")
        }
    }
}
