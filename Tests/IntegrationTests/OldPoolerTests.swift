import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// PgBouncer 1.18. It does not accept `default_transaction_read_only` as a start-up parameter, and only the text
    /// of its errors tells what they mean.
    @Suite("An old pooler")
    struct OldPoolerTests {
        private let scratch: Scratch
        private let engine = Laboratory.Engine.postgres

        init() throws { scratch = try Scratch() }

        private func pooler(_ settings: String = "") throws -> (port: UInt16, process: ChildProcess) {
            let port = UnusedPort().port
            let file = scratch.path("pgbouncer.ini")
            try """
            [databases]
            app = host=127.0.0.1 port=\(engine.primaryPort)
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = plain
            auth_file = \(scratch.path("users"))
            pool_mode = session
            \(settings)

            """.write(toFile: file, atomically: true, encoding: .utf8)
            let users = "\"app\" \"app-secret\"\n\"monitor\" \"monitor-secret\"\n"
            try users.write(toFile: scratch.path("users"), atomically: true, encoding: .utf8)
            chmod(scratch.path("."), 0o755)
            let process = try ChildProcess(
                ["pgbouncer", "-u", "nobody", file], output: "/dev/null", error: scratch.path("pgbouncer.log"))
            return (port, process)
        }

        /// Case 14: 0 of 5 sessions were served in the outage.
        @Test func sessionsAreServedAndKeptFromWriting() async throws {
            try await engine.execute("create table if not exists guarded (id int)", at: engine.primaryPort)
            let pooler = try pooler()
            defer { pooler.process.signal(SIGKILL) }
            #expect(await eventually { (try? await TCPClient.connect(port: Int(pooler.port))) != nil })
            let unused = UnusedPort()
            let failover = try FailoverProcess(
                configuration: engine.configuration(
                    pingTimeout: "3s", primary: "password_methods: [scram, md5, cleartext]",
                    route: "failover_read_only: true",
                    ports: [pooler.port, unused.port]))
            let port = try await failover.port()
            #expect(await failover.logs("CRITICAL slave outage."))
            for _ in 0..<5 {
                #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
                #expect(try await engine.answer(to: "show default_transaction_read_only", at: port) == "on")
            }
            let failure = await #expect(throws: CommandFailure.self) {
                try await engine.answer(to: "insert into guarded values (1)", at: port)
            }
            let message = failure?.output.standardError ?? ""
            #expect(message.contains("read-only transaction"), "\(message)")
            // The pooler resets the setting when the session ends.
            #expect(try await engine.answer(to: "show default_transaction_read_only", at: Int(pooler.port)) == "off")
            let report = try await failover.command("doctor").standardOutput
            #expect(report.contains("guard-by-statement: "), "\(report)")
            try await failover.end()
        }

        @Test func oneThatIsFullIsNoOutageAndItsClientsGoElsewhere() async throws {
            let pooler = try pooler("max_client_conn = 2")
            defer { pooler.process.signal(SIGKILL) }
            #expect(await eventually { (try? await engine.whoAnswers(at: Int(pooler.port))) == engine.primaryPort })
            let failover = try FailoverProcess(
                configuration: engine.configuration(
                    replica: "password_methods: [scram, md5, cleartext]",
                    ports: [UInt16(engine.replicaPort), pooler.port]))
            let port = try await failover.port()
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            // A ping may occupy one of the connections for a moment.
            let held = (0..<2).map { _ in
                Task {
                    while (try? await engine.answer(to: "select pg_sleep(6)", at: Int(pooler.port))) == nil {}
                }
            }
            #expect(await failover.logs(" slave is degraded: its server refuses the monitor."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            for held in held { _ = await held.result }
            #expect(await failover.logs("INFO slave is healthy again."))
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.primaryPort })
            #expect(!failover.log.contains { $0.hasPrefix("CRITICAL") }, "\(failover.log)")
            try await failover.end()
        }
    }
}
