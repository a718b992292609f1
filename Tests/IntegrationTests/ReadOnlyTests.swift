import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Sessions on the primary that must not write by accident, with real servers and real drivers.
    @Suite("The read-only guard")
    struct ReadOnlyTests {
        private let scratch: Scratch

        init() throws { scratch = try Scratch() }

        private func clients(_ program: String, _ arguments: String...) async throws -> [String] {
            let path = "\(Laboratory.root)/Tests/IntegrationTests/Clients/\(program)"
            let output = try await Command.run(["timeout", "560", "/usr/bin/python3", "-B", path] + arguments)
            return output.standardOutput.split(separator: "\n").map(String.init)
        }

        private func failover(_ engine: Laboratory.Engine) throws -> FailoverProcess {
            return try FailoverProcess(
                configuration: "admin: {listen: \"unix:\(scratch.path("admin"))\"}\n"
                    + engine.configuration(route: "failover_read_only: true"))
        }

        /// The guard's setting in a new session.
        private func setting(_ engine: Laboratory.Engine, at port: Int) async throws -> String {
            let statement =
                switch engine {
                case .postgres: "show default_transaction_read_only"
                case .mariadb: "select if(@@tx_read_only, 'on', 'off')"
                case .mysql: "select if(@@transaction_read_only, 'on', 'off')"
                }
            return try await engine.answer(to: statement, at: port)
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func whileTheReplicaIsDownNoDriverWritesByAccident(_ engine: Laboratory.Engine) async throws {
            try await engine.execute("create table if not exists guarded (id int)", at: engine.primaryPort)
            let failover = try failover(engine)
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            // Sessions on the route's own alias are not changed.
            #expect(try await setting(engine, at: port) == "off")

            try await engine.fault("kill")
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            let lines = try await clients("read_only.py", engine.rawValue, "\(port)")
            #expect(lines.count == (engine == .mariadb ? 10 : 8), "\(lines)")
            for line in lines {
                // A client that asks for it can write: the guard prevents accidents only.
                let expected = line.contains("READ WRITE: ") ? "writes" : "read only"
                #expect(line.hasSuffix(": \(expected)"), "\(line)")
            }
            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up."))
            #expect(try await setting(engine, at: port) == "off")

            // The guard also applies after an operator's switch to the primary.
            #expect(try await failover.command("switch", "slave", "default").status == 0)
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            #expect(try await setting(engine, at: port) == "on")
            #expect(try await setting(engine, at: engine.primaryPort) == "off")
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func encryptedSessionsAreServedUnguardedOrNotAtAll(_ engine: Laboratory.Engine) async throws {
            let unused = UnusedPort()
            for policy in ["allow", "refuse"] {
                let failover = try FailoverProcess(
                    configuration: engine.configuration(
                        route: "failover_read_only: true, read_only_opaque: \(policy)",
                        ports: [UInt16(engine.primaryPort), unused.port]))
                let port = try await failover.port()
                #expect(await failover.logs("CRITICAL slave outage."))
                let lines = try await clients("drivers.py", engine.rawValue, "\(port)")
                #expect(lines.count == 6, "\(lines)")
                for line in lines {
                    let words = line.split(separator: " ")
                    let isServed = policy == "allow" || words[1] == "disable"
                    #expect(words[2] == (isServed ? "\(engine.primaryPort)" : "FAILED"), "\(policy): \(line)")
                    // No client falls back to clear text, not even one that would accept it.
                    if isServed, words[1] != "disable" { #expect(words[3] == "encrypted", "\(policy): \(line)") }
                }
                #expect(
                    await failover.logs(
                        policy == "allow"
                            ? "encrypted or compressed: served without the read-only guard"
                            : "read_only_opaque: refuse"))
                #expect(try await setting(engine, at: port) == "on")
                try await failover.end()
            }
        }

        private func count(_ status: String) async throws -> Int {
            let engine = Laboratory.Engine.mariadb
            let row = try await engine.answer(to: "show global status like '\(status)'", at: engine.primaryPort)
            return row.split(separator: "\t").last.flatMap { Int($0) } ?? -1
        }

        /// A server counts clients that leave after its greeting, and finally blocks the proxy.
        @Test(.needsMariaDB) func manyEncryptedSessionsThatAreRefusedDoNotBlockTheProxy() async throws {
            let engine = Laboratory.Engine.mariadb
            let unused = UnusedPort()
            let failover = try FailoverProcess(
                configuration: engine.configuration(
                    route: "failover_read_only: true, read_only_opaque: refuse",
                    ports: [UInt16(engine.primaryPort), unused.port]))
            let port = try await failover.port()
            #expect(await failover.logs("CRITICAL slave outage."))
            let (refused, brokenOff) = try await (count("Aborted_connects"), count("Aborted_connects_preauth"))
            _ = try await clients("drivers.py", engine.rawValue, "\(port)")
            // One per driver that requested encryption.
            #expect(try await eventually { try await count("Aborted_connects") == refused + 3 })
            #expect(try await count("Aborted_connects_preauth") == brokenOff)
            try await failover.end()
        }
    }
}
