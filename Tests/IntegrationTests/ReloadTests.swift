import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Reloads of a serving process, with real servers.
    @Suite("Reloading")
    struct ReloadTests {
        private let scratch: Scratch
        private let engine = Laboratory.Engine.postgres

        init() throws { scratch = try Scratch() }

        private var admin: String { "admin: {listen: \"unix:\(scratch.path("admin"))\"}\n" }

        @Test func sighupLoadsTheFileAndWhatIsKnownStays() async throws {
            let failover = try FailoverProcess(configuration: admin + engine.configuration())
            let port = try await failover.port()
            try await engine.fault("kill")
            #expect(await failover.logs("CRITICAL slave outage."))
            let text = engine.configuration(route: "fall: 5, rise: 2, outage_ping_frequency: 100ms, max_connections: 9")
            try failover.configure(admin + text)
            failover.signal(SIGHUP)
            #expect(await failover.logs("NOTICE configuration reloaded: slave changed, alias slave changed"))
            let status = try await failover.command("status").standardOutput
            #expect(status.contains(#/\nslave +postgres +down /#), "\(status)")
            // A ping in progress when the server was killed was cut off.
            #expect(status.contains(#/served by default \(slave: (refused|disconnected): /#), "\(status)")
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            #expect(failover.log.count { $0.hasPrefix("CRITICAL") } == 1)
            try await failover.end()
        }

        @Test func aFileThatIsWrongChangesNothingAndTheLogSaysWhy() async throws {
            let failover = try FailoverProcess(configuration: admin + engine.configuration())
            let port = try await failover.port()
            try failover.configure(admin + engine.configuration() + "surprise: 1\n")
            failover.signal(SIGHUP)
            #expect(await failover.logs("ERROR configuration not reloaded, nothing has changed: "))
            #expect(await failover.logs("surprise"))

            let taken = EchoBackend()
            try failover.configure(
                admin + engine.configuration() + "  other: {type: database, db_alias: default, "
                    + "listen: [\"127.0.0.1:0\", \"127.0.0.1:\(taken.port)\"]}\n")
            let refused = try await failover.command("reload")
            #expect(refused.status == 1)
            #expect(
                refused.standardError
                    == "configuration not reloaded, nothing has changed: cannot listen on "
                    + "127.0.0.1:\(taken.port): Address already in use; another process listens there\n")
            #expect(try await metrics().contains("failover_config_last_reload_success 0\n"))
            #expect(try await failover.command("status").standardOutput.contains("other") == false)

            try failover.configure("worker_threads: 7\n" + admin + engine.configuration())
            #expect(try await failover.command("reload").standardError.contains("cannot change"))
            try failover.configure(admin + engine.configuration())
            #expect(
                try await failover.command("reload").standardOutput == "configuration reloaded: nothing has changed\n")
            #expect(try await metrics().contains("failover_config_last_reload_success 1\n"))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await failover.end()
        }

        @Test func theConsequencesOfAnOutageFollowTheConfiguration() async throws {
            let check = try scratch.script("check", "exit 1")
            func text(_ more: String, file: String) -> String {
                admin + "settings_file: \(scratch.path(file))\n"
                    + engine.configuration(route: "fall: 1") + "  billing: {type: command, ping: \(check)\(more)}\n"
            }
            let failover = try FailoverProcess(
                configuration: text(", failover_settings: {MODE: low}", file: "settings.json"))
            let port = try await failover.port()
            #expect(await failover.logs("CRITICAL billing outage."))
            #expect(scratch.text("settings.json").contains(#""MODE" : "low""#))

            try failover.configure(
                text(
                    ", failover_settings: {MODE: none}, close_during_outage: {routes: slave, message: closed}",
                    file: "other.json"))
            #expect(try await failover.command("reload").status == 0)
            #expect(scratch.text("settings.json").isEmpty)
            #expect(scratch.text("other.json").contains(#""MODE" : "none""#))
            #expect(try await engine.standardError(at: port).contains("closed"))
            #expect(try await metrics().contains(#"service="billing""#))

            try failover.configure(admin + engine.configuration())
            #expect(try await failover.command("reload").status == 0)
            let left = try await metrics()
            #expect(left.contains(#"failover_ping_duration_seconds_count{service="slave"}"#))
            #expect(!left.contains(#"service="billing""#))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await failover.end()
        }

        @Test func theAdminPlaneMovesAndAsksForAnotherToken() async throws {
            let failover = try FailoverProcess(configuration: admin + engine.configuration())
            _ = try await failover.port()
            let moved = "admin: {listen: \"unix:\(scratch.path("moved"))\"}\n"
            // The command line reads the admin address from the file, which already contains the new one.
            try failover.configure(moved + engine.configuration())
            failover.signal(SIGHUP)
            #expect(await failover.logs("configuration reloaded: admin changed"))
            #expect(try await failover.command("status").status == 0)
            #expect(await eventually { !FileManager.default.fileExists(atPath: scratch.path("admin")) })
            try await failover.end()
        }

        @Test func reloadsSwitchesAndDrainsUnderLoadCostNoClientAnything() async throws {
            var random = SplitMix(state: 5)
            let failover = try FailoverProcess(configuration: try configuration(&random))
            let port = try await failover.port()
            #expect(try await eventually { try await failover.command("status", "--ready").status == 0 })
            let pgbench = PgbenchLoad(port: port, scratch: scratch)
            let load = Task { try await pgbench.run() }
            for _ in 0..<50 {
                try failover.configure(try configuration(&random))
                let reload = try await failover.command("reload")
                #expect(reload.status == 0, "\(reload.standardError)")
                for command in [["switch", "slave", "default"], ["release", "slave"], ["drain", "slave"]]
                where random.next() % 3 == 0 {
                    _ = try await failover.command(command[0], command[1])
                }
                _ = try await failover.command("undrain", "slave")
            }
            load.cancel()
            let transactions = try await load.value
            #expect(transactions > 0)
            #expect(try await engine.whoAnswers(at: port) != nil)
            let log = failover.log.filter { $0.hasPrefix("WARNING") || $0.hasPrefix("ERROR") }
            #expect(log.isEmpty, "\(log)")
            try await failover.end()
        }

        /// A configuration with the same first listener, and with random other content.
        private func configuration(_ random: inout SplitMix) throws -> String {
            func maybe(_ text: String) -> String { random.next() % 2 == 0 ? text : "" }
            let host = random.next() % 3 == 0 ? "localhost" : "127.0.0.1"
            let alias = "engine: postgres, name: app, user: monitor, password: monitor-secret"
            return """
                \(admin)monitoring_ping_frequency: \(100 + random.next() % 400)ms
                \(maybe("log: {level: debug}"))
                \(maybe("shutdown_grace: 5s"))
                databases:
                  default: {\(alias), host: 127.0.0.1, port: \(engine.primaryPort)}
                  slave: {\(alias), host: \(host), port: \(engine.replicaPort)\(maybe(", max_connections: 90"))}
                  spare: {\(alias), host: 127.0.0.1, port: \(engine.primaryPort)}
                services:
                  slave:
                    type: database
                    listen: [\(maybe("\"unix:\(scratch.path("a"))\", "))"127.0.0.1:0"]
                    failover_db_alias: [default\(maybe(", spare"))]
                    idle_timeout: \(600 + random.next() % 9)s
                    connect_timeout: 50s
                    greeting_timeout: 50s
                \(maybe("  other: {type: database, db_alias: spare, failover_db_alias: default, listen: \"127.0.0.1:0\"}"))
                \(maybe("  port: {type: tcp, host: 127.0.0.1, port: \(engine.primaryPort)}"))
                \(maybe("notify: [{type: command, run: /bin/cat}]"))

                """
        }

        private func metrics() async throws -> String {
            try await Command.run([
                "curl", "-sS", "--unix-socket", scratch.path("admin"), "http://localhost/metrics",
            ]).standardOutput
        }
    }
}
