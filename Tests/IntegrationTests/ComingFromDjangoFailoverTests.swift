import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// The features of the older library, as the executable has them; FailoverTests cover the library. There is one
    /// test for each row of that table in the design.
    @Suite("Coming from django-failover")
    struct ComingFromDjangoFailoverTests {
        private let scratch: Scratch
        /// Frequent pings, so that tests do not wait long.
        private let often = "monitoring_ping_frequency: 50ms\noutage_ping_frequency: 50ms"

        init() throws { scratch = try Scratch() }

        /// A command that fails while the file exists.
        private func failing(while file: String) throws -> String {
            try scratch.script(
                "check-\(file)", "echo >> \(scratch.path("pings-\(file)")); ! test -e \(scratch.path(file))")
        }

        @Test func aServiceWithPingFailoverAndRecoverIsOfTypeCommand() async throws {
            let hook = try scratch.script("hook", "echo $FAILOVER_EVENT >> \(scratch.path("hooks"))")
            let failover = try FailoverProcess(
                configuration: """
                    \(often)
                    services:
                      billing: {type: command, ping: \(try failing(while: "broken")), failover: \(hook), recover: \(hook)}
                    """)
            try scratch.write("", to: "broken")
            #expect(await failover.logs("CRITICAL billing outage."))
            try scratch.remove("broken")
            #expect(await failover.logs("INFO billing is back up."))
            #expect(scratch.text("hooks") == "outage\nrecovery\n")
            try await failover.end()
        }

        @Test func socketHostPortAndTimeoutAreThoseOfTypeTCP() async throws {
            let listener = EchoBackend()
            let failover = try FailoverProcess(
                configuration: """
                    \(often)
                    services: {search: {type: tcp, host: 127.0.0.1, port: \(listener.port), timeout: 60s}}
                    """)
            #expect(await eventually { listener.connections > 1 })
            listener.stop()
            #expect(await failover.logs("CRITICAL search outage."))
            #expect(await failover.logs("127.0.0.1:\(listener.port): Connection refused"))
            try await failover.end()
        }

        @Test func failoverSettingsAreSetDuringAnOutageAndRestoredOnRecovery() async throws {
            let failover = try FailoverProcess(
                configuration: """
                    \(often)
                    services:
                      billing: {type: command, ping: \(try failing(while: "broken")), failover_settings: {MODE: low}}
                    settings_file: \(scratch.path("settings.json"))
                    admin: {listen: "unix:\(scratch.path("admin"))"}
                    """)
            try scratch.write("", to: "broken")
            #expect(await failover.logs("CRITICAL billing outage."))
            #expect(scratch.text("settings.json").contains(#""MODE" : "low""#))
            #expect(try await failover.command("status").standardOutput.contains("SETTINGS\nMODE=low\n"))
            try scratch.remove("broken")
            #expect(await failover.logs("INFO billing is back up."))
            #expect(!scratch.text("settings.json").contains("MODE"))
            #expect(try await failover.command("status").standardOutput.contains("SETTINGS") == false)
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func databaseAliasAndFailoverDatabaseAliasMoveNewConnections(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(
                configuration: engine.configuration(route: "db_alias: slave, failover_db_alias: default"))
            let port = try await failover.port()
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await engine.fault("kill")
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await failover.end()
        }

        @Test func memcachedPingsEveryNodeAndNamesTheDeadOnes() async throws {
            let nodes = try await [Memcached(), Memcached(), Memcached()]
            let servers = nodes.map { "\"127.0.0.1:\($0.port)\"" }.joined(separator: ", ")
            let failover = try FailoverProcess(
                configuration: "\(often)\nservices: {cache: {type: memcached, servers: [\(servers)], timeout: 60s}}")
            try await nodes[1].end()
            #expect(await failover.logs("CRITICAL cache outage."))
            #expect(await failover.logs("1 of 3 servers down: 127.0.0.1:\(nodes[1].port) ("))
            try await nodes[2].end()
            #expect(
                await failover.logs(
                    "2 of 3 servers down: 127.0.0.1:\(nodes[1].port) (refused), 127.0.0.1:\(nodes[2].port) ("))
            try await failover.end()
        }

        @Test(
            .sharedServers,
            arguments: [("rabbitmq", "rabbitmq", "stop", "cont"), ("redis", "redis-primary", "kill", "start")])
        func celerysBrokerIsPingedAndCeleryAlwaysEagerIsSet(
            type: String, server: String, fault: String, undo: String
        ) async throws {
            let url =
                type == "redis"
                ? "redis://monitor:monitor-secret@127.0.0.1:\(Laboratory.port("LAB_REDIS_PRIMARY_PORT"))/0"
                : "amqp://monitor:monitor-secret@127.0.0.1:\(Laboratory.port("LAB_RABBITMQ_PORT"))/app"
            let failover = try FailoverProcess(
                configuration: """
                    \(often)
                    services:
                      celery: {type: \(type), url: "\(url)", failover_settings: {CELERY_ALWAYS_EAGER: "True"}}
                    settings_file: \(scratch.path("settings.json"))
                    """)
            try await Laboratory.fault(fault, on: server)
            #expect(await failover.logs("CRITICAL celery outage."))
            #expect(scratch.text("settings.json").contains(#""CELERY_ALWAYS_EAGER" : "True""#))
            try await Laboratory.fault(undo, on: server)
            #expect(await failover.logs("INFO celery is back up."))
            #expect(!scratch.text("settings.json").contains("CELERY_ALWAYS_EAGER"))
            try await failover.end()
        }

        @Test func failoverServicesAreTheServicesOfTheConfiguration() async throws {
            let checks = try ["one", "two"].map { ($0, try failing(while: $0)) }
            let services = checks.map { "  \($0): {type: command, ping: \($1)}" }.joined(separator: "\n")
            let failover = try FailoverProcess(configuration: "\(often)\nservices:\n\(services)\n")
            for name in ["one", "two"] {
                try scratch.write("", to: name)
                #expect(await failover.logs("CRITICAL \(name) outage."))
            }
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func theOutageMiddlewaresClosedPagesAreRoutesClosedWithAMessage(_ engine: Laboratory.Engine) async throws {
            let shared = engine.configuration().replacing("services:\n", with: "")
            let failover = try FailoverProcess(
                configuration: """
                    \(shared.replacing("  slave: {type: database", with: "services:\n  slave: {type: database"))
                      billing:
                        type: command
                        ping: \(try failing(while: "broken"))
                        close_during_outage: {routes: slave, message: reports are closed}
                    """)
            let port = try await failover.port()
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try scratch.write("", to: "broken")
            #expect(await failover.logs("CRITICAL billing outage."))
            #expect(try await engine.standardError(at: port).contains("reports are closed"))
            try scratch.remove("broken")
            #expect(await failover.logs("INFO billing is back up."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await failover.end()
        }

        @Test func failoverPingPingsAsTheMonitorDecoratorDid() async throws {
            try scratch.write(
                "services: {billing: {type: command, ping: \(try failing(while: "broken"))}}", to: "f.yaml")
            let ping = [FailoverProcess.binary, "ping", "--config", scratch.path("f.yaml")]
            #expect(try await Command.run(ping).status == 0)
            try scratch.write("", to: "broken")
            #expect(try await Command.run(ping).status == 1)
            #expect(scratch.text("pings-broken") == "\n\n")
        }

        @Test func aPostPingsAsTheMonitorDecoratorDidInsideARunningProcess() async throws {
            let failover = try FailoverProcess(
                configuration: """
                    monitoring_ping_frequency: 1h
                    services: {billing: {type: command, ping: \(try failing(while: "broken"))}}
                    admin: {listen: "unix:\(scratch.path("admin"))"}
                    """)
            #expect(await eventually { scratch.text("pings-broken") == "\n" })
            #expect(await failover.logs("administration: listening"))
            try scratch.write("", to: "broken")
            let answer = try await failover.answerToPing(of: "billing", admin: scratch.path("admin"))
            #expect(answer.hasPrefix(#"{"message":"billing: command: "#), "\(answer)")
            #expect(await failover.logs("CRITICAL billing outage."))
            try await failover.end()
        }

        @Test func criticalOnOutageAgainWhileItLastsInfoOnRecoveryAndMail() async throws {
            let sendmail = try scratch.script("sendmail", "cat >> \(scratch.path("mail"))")
            let failover = try FailoverProcess(
                configuration: """
                    \(often)
                    outage_logging_frequency: 100ms
                    services: {billing: {type: command, ping: \(try failing(while: "broken"))}}
                    notify: [{type: mail, to: admins@example.com, from: failover@example.com, sendmail: \(sendmail)}]
                    """)
            try scratch.write("", to: "broken")
            let outage = "CRITICAL billing outage. Failover initiated. (Process ID: \(failover.pid))"
            #expect(await eventually { failover.log.count { $0.hasPrefix(outage) } >= 3 })
            try scratch.remove("broken")
            #expect(await failover.logs("INFO billing is back up. Recovery complete. (Process ID: \(failover.pid))"))
            #expect(await eventually { scratch.text("mail").contains("Subject: [failover] DOWN: billing on") })
            #expect(await eventually { scratch.text("mail").contains("Subject: [failover] UP again: billing on") })
            #expect(scratch.text("mail").contains("To: admins@example.com"))
            try await failover.end()
        }

        @Test func eachProcessDecidesForItself() async throws {
            let processes = try ["one", "two"].map { name in
                try FailoverProcess(
                    configuration: "\(often)\nservices: {billing: {type: command, ping: \(try failing(while: name))}}")
            }
            try scratch.write("", to: "one")
            #expect(await processes[0].logs("CRITICAL billing outage."))
            let pings = scratch.text("pings-two").count
            #expect(await eventually { scratch.text("pings-two").count >= pings + 3 })
            #expect(!processes[1].log.contains { $0.contains("outage") })
            for process in processes { try await process.end() }
        }
    }
}
