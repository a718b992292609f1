import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// How sessions reach a server when the usual one cannot serve them.
    @Suite("Reaching a server")
    struct ReachingTests {
        private static let replicaRules = "\(Laboratory.directory)/data/postgres-replica/db/pg_hba.conf"

        /// Pings happen only at the start, after an error, and on request.
        private static let rarely = """
            monitoring_ping_frequency: 1h
            outage_ping_frequency: 1h
            error_ping_frequency: 1h

            """

        private func configuration(
            _ engine: Laboratory.Engine, frequencies: String = rarely, replica: String? = nil, route: String? = nil,
            ports: [UInt16]? = nil
        ) -> String {
            let lines = engine.configuration(replica: replica, route: route, ports: ports).split(separator: "\n")
            return frequencies + lines.filter { !$0.contains("_frequency") }.joined(separator: "\n") + "\n"
        }

        // MARK: Both servers are down and come back

        /// Regular pings would detect it only after an hour.
        @Test(arguments: Laboratory.Engine.allCases)
        func serversThatAreWellAgainServeBeforeAPingHasSeenIt(_ engine: Laboratory.Engine) async throws {
            let frequencies = Self.rarely.replacing(
                "monitoring_ping_frequency: 1h", with: "monitoring_ping_frequency: 500ms")
            let failover = try FailoverProcess(configuration: configuration(engine, frequencies: frequencies))
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            for server in [Laboratory.Server.replica, .primary] { try await engine.fault("kill", on: server) }
            #expect(
                try await eventually {
                    let error = try await engine.standardError(at: port)
                    return error.contains("slave: no server can serve this")
                        && failover.log.contains { $0.hasPrefix("CRITICAL slave outage.") }
                        && failover.log.contains { $0.hasPrefix("CRITICAL default outage.") }
                })
            for server in [Laboratory.Server.primary, .replica] { try await engine.fault("start", on: server) }
            #expect(try await eventually { try await engine.whoAnswers(at: port) != nil })
            #expect(failover.log.contains { $0.contains("which is marked down: no other server was available") })
            // A successful session requests a ping.
            #expect(await eventually { failover.log.contains { $0.contains(" is back up.") } })
            try await failover.end()
        }

        // MARK: Slow

        /// Case 5. Both servers wait two seconds before they read a client's first message, four times as long as the
        /// route allows while another server is left.
        @Test func serversThatAreBothSlowServe() async throws {
            let engine = Laboratory.Engine.postgres
            for server in [Laboratory.Server.primary, .replica] {
                try await engine.administer("alter system set pre_auth_delay = 2", at: server)
                try await engine.administer("select pg_reload_conf()", at: server)
            }
            let failover = try FailoverProcess(
                configuration: configuration(engine).replacing("greeting_timeout: 50s", with: "greeting_timeout: 500ms")
            )
            let port = try await failover.port()
            for _ in 0..<4 {
                let answer = try await engine.whoAnswers(at: port)
                #expect([engine.primaryPort, engine.replicaPort].contains(answer))
            }
            try await failover.end()
            for server in [Laboratory.Server.primary, .replica] {
                try await engine.administer("alter system reset pre_auth_delay", at: server)
                try await engine.administer("select pg_reload_conf()", at: server)
            }
        }

        // MARK: Full

        /// Runs `app`'s clients while the replica has no connection for them, which it detects only after their login
        /// began.
        private func whileTheReplicaIsFull(
            trusting: Bool, _ body: (FailoverProcess, _ port: Int) async throws -> Void
        ) async throws {
            let engine = Laboratory.Engine.postgres
            let rules = try String(contentsOfFile: Self.replicaRules, encoding: .utf8)
            if trusting {
                try "host all app 127.0.0.1/32 trust\n\(rules)".write(
                    toFile: Self.replicaRules, atomically: false, encoding: .utf8)
                try await engine.administer("select pg_reload_conf()", at: .replica)
            }
            try await engine.administer("alter role app connection limit 2", at: .primary)
            let limit = "select rolconnlimit from pg_roles where rolname = 'app'"
            #expect(try await eventually { try await engine.administer(limit, at: .replica) == "2" })
            let held = (0..<2).map { _ in
                Task { try await engine.execute("select pg_sleep(280)", at: engine.replicaPort) }
            }
            let count = "select count(*) from pg_stat_activity where query = 'select pg_sleep(280)'"
            #expect(try await eventually { try await engine.administer(count, at: .replica) == "2" })
            let failover = try FailoverProcess(configuration: configuration(engine))
            try await body(failover, try await failover.port())
            try await failover.end()
            try await engine.administer(
                "select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(280)'",
                at: .replica)
            for task in held { _ = try? await task.value }
            try await engine.administer("alter role app connection limit -1", at: .primary)
            #expect(try await eventually { try await engine.administer(limit, at: .replica) == "-1" })
            try rules.write(toFile: Self.replicaRules, atomically: false, encoding: .utf8)
            try await engine.administer("select pg_reload_conf()", at: .replica)
        }

        @Test func aReplicaThatTurnsOutToBeFullAfterATrustedLoginCostsNoClientAnError() async throws {
            let engine = Laboratory.Engine.postgres
            try await whileTheReplicaIsFull(trusting: true) { _, port in
                for _ in 0..<10 {
                    let answer = try await engine.answer(to: "select inet_server_port()", at: port)
                    #expect(answer == "\(engine.primaryPort)")
                }
            }
        }

        /// The first client has sent its proof to the replica, and receives the replica's error. The next ones are
        /// sent to another alias.
        @Test func aReplicaThatTurnsOutToBeFullAfterAProofIsPassedByThoseWhoComeNext() async throws {
            let engine = Laboratory.Engine.postgres
            try await whileTheReplicaIsFull(trusting: false) { _, port in
                let error = await #expect(throws: CommandFailure.self) {
                    try await engine.answer(to: "select 1", at: port)
                }
                #expect(error?.output.standardError.contains("too many connections for role") == true)
                for _ in 0..<10 {
                    let answer = try await engine.answer(to: "select inet_server_port()", at: port)
                    #expect(answer == "\(engine.primaryPort)")
                }
            }
        }

        /// A server that cannot start a process sends an error without a length instead of any other answer. The ping
        /// before it succeeded.
        @Test(arguments: ["disable", "prefer", "require"])
        func aServerThatCannotForkCostsNoClientAnError(encryption: String) async throws {
            let engine = Laboratory.Engine.postgres
            let message = "Ecould not fork new process for connection: Resource temporarily unavailable\n\u{0}"
            let replica = FaultyServer { client in
                let first = String(decoding: client.receive(atLeast: 8), as: UTF8.self)
                guard first.contains("monitor") else {
                    client.send(Array(message.utf8))
                    return
                }
                client.sendPostgresWelcome()
                client.receive()
                client.sendPostgresRow()
                client.sendPostgresEnd()
                client.receiveToEnd()
            }
            let failover = try FailoverProcess(
                configuration: configuration(
                    engine, replica: "tls: disable", ports: [UInt16(engine.primaryPort), replica.port]))
            let port = try await failover.port()
            #expect(await eventually { replica.connections == 1 })
            for _ in 0..<10 {
                let output = try await Command.run(
                    [
                        "timeout", "60", "psql", "-X", "-h", "127.0.0.1", "-p", "\(port)", "-U", "app", "-d", "app",
                        "-Atc", "select inet_server_port()",
                    ], environment: ["PGPASSWORD": "app-secret", "PGSSLMODE": encryption])
                #expect(output.standardOutput == "\(engine.primaryPort)\n", "\(output.standardError)")
            }
            #expect(replica.connections >= 2)
            try await failover.end()
            replica.stop()
        }

        /// Limits the processes of the replica's user, as seen by the replica. Returns the limit so far.
        private func limitProcesses(to count: String) async throws -> String {
            let file = "\(Laboratory.directory)/data/postgres-replica/db/postmaster.pid"
            let pid = try #require(String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").first)
            let owner = try FileManager.default.attributesOfItem(atPath: file)
            let (account, group) = (owner[.ownerAccountID] as? NSNumber, owner[.groupOwnerAccountID] as? NSNumber)
            let user =
                try geteuid() == 0
                ? ["setpriv", "--reuid=\(#require(account))", "--regid=\(#require(group))", "--clear-groups", "--"] : []
            func prlimit(_ arguments: String...) async throws -> String {
                let output = try await Command.run(user + ["prlimit", "--pid", "\(pid)"] + arguments)
                guard output.status == 0 else { throw CommandFailure(output: output) }
                return output.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
            }
            let former = try await prlimit("--nproc", "--noheadings", "--output", "SOFT")
            _ = try await prlimit("--nproc=\(count):")
            return former
        }

        /// Case 15: its user may have no more processes, so that it refuses the monitor and clients.
        @Test func aReplicaThatMayHaveNoMoreProcessesServesThoseItHas() async throws {
            let engine = Laboratory.Engine.postgres
            let failover = try FailoverProcess(configuration: engine.configuration())
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            let held = Task { try await engine.answer(to: "select pg_sleep(8), inet_server_port()", at: port) }
            let count = "select count(*) from pg_stat_activity where query like 'select pg_sleep(8)%'"
            #expect(try await eventually { try await engine.administer(count, at: .replica) == "1" })

            let limit = try await limitProcesses(to: "0")
            #expect(await failover.logs(" slave is degraded: its server refuses the monitor."))
            for _ in 0..<10 { #expect(try await engine.whoAnswers(at: port) == engine.primaryPort) }
            _ = try await limitProcesses(to: limit)

            #expect(try await held.value.hasSuffix("|\(engine.replicaPort)"))
            #expect(await failover.logs("INFO slave is healthy again."))
            #expect(!failover.log.contains { $0.hasPrefix("CRITICAL") }, "\(failover.log)")
            try await failover.end()
        }

        // MARK: Ordinary ends of sessions

        /// The commands of a session that the server ends while it is idle.
        private static func idle(_ engine: Laboratory.Engine, at port: Int) -> [String] {
            switch engine {
            case .postgres:
                [
                    "timeout", "60", "psql", "-X", "sslmode=require host=127.0.0.1 port=\(port) user=app dbname=app",
                    "-c", "set idle_session_timeout = 1200", "-c", "\\! sleep 3", "-c", "select 1",
                ]
            case .mysql:
                [
                    "timeout", "60", "mysql", "--no-defaults", "--commands", "--ssl-mode=DISABLED",
                    "--get-server-public-key", "--skip-reconnect", "-h", "127.0.0.1", "-P", "\(port)", "-u", "app",
                    "-D", "app", "-e", "set wait_timeout = 1;\nselect 1;\n\\! sleep 3\nselect 1;",
                ]
            case .mariadb:
                [
                    "timeout", "60", "mariadb", "--no-defaults", "--skip-ssl", "--skip-reconnect", "-h", "127.0.0.1",
                    "-P", "\(port)", "-u", "app", "-D", "app", "-e",
                    "set wait_timeout = 1;\nselect 1;\n\\! sleep 3\nselect 1;",
                ]
            }
        }

        /// With the default frequencies.
        @Test(arguments: Laboratory.Engine.allCases)
        func sessionsThatTheirServerEndsInTheOrdinaryWayMoveNoOthers(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(configuration: configuration(engine, frequencies: ""))
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            let ends = try await withThrowingTaskGroup(of: Command.Output.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await Command.run(
                            Self.idle(engine, at: port),
                            environment: ["PGPASSWORD": "app-secret", "MYSQL_PWD": "app-secret"])
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            // The clients saw that their sessions ended.
            #expect(ends.allSatisfy { $0.status != 0 }, "\(ends)")
            for _ in 0..<20 { #expect(try await engine.whoAnswers(at: port) == engine.replicaPort) }
            try await failover.end()
        }
    }
}
