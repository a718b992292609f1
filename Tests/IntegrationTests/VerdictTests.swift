import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// A server that is alive and refuses the monitor, or a lack on this machine, closes no session.
    @Suite("A verdict is about the server")
    struct VerdictTests {
        private func held(
            _ engine: Laboratory.Engine, _ port: Int, _ scenario: String...
        ) throws -> HeldSessions {
            try HeldSessions(
                [engine.rawValue, "\(port)", "\(engine.replicaPort)", "\(engine.primaryPort)"] + scenario)
        }

        private func expectNoOutage(_ failover: FailoverProcess, sourceLocation: SourceLocation = #_sourceLocation) {
            let log = failover.log
            #expect(
                !log.contains { $0.hasPrefix("CRITICAL") }, "\(log.joined(separator: "\n"))",
                sourceLocation: sourceLocation)
        }

        /// Case 1: the monitor has no reserved connections.
        @Test(arguments: Laboratory.Engine.allCases)
        func aFullReplicaKeepsItsSessionsAndNewOnesGoElsewhere(_ engine: Laboratory.Engine) async throws {
            if engine != .postgres { try await engine.administer("set global max_connections = 20", at: .replica) }
            let failover = try FailoverProcess(configuration: engine.configuration())
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            let scratch = try Scratch()
            let held = try held(engine, port, "full", scratch.path("seen"))
            #expect(await held.holds())
            #expect(await failover.logs(" slave is degraded: its server refuses the monitor."))
            try Data().write(to: URL(filePath: scratch.path("seen")))
            #expect(try await held.result() == "held 5 of 5, new primary 30")
            #expect(await failover.logs("INFO slave is healthy again."))
            expectNoOutage(failover)
            try await failover.end()
            if engine != .postgres { try await engine.administer("set global max_connections = 151", at: .replica) }
        }

        /// A limit of the server ends the ping's query.
        @Test(arguments: Laboratory.Engine.allCases)
        func aPingThatTheServerBreaksOffIsNoOutage(_ engine: Laboratory.Engine) async throws {
            let query =
                switch engine {
                case .postgres: "set statement_timeout = '100ms'; select pg_sleep(30)"
                case .mariadb: "set statement max_statement_time = 0.1 for select sleep(30)"
                // Its sleep() alone would return early, without an error.
                case .mysql: "select /*+ max_execution_time(100) */ sleep(30) from information_schema.collations"
                }
            let failover = try FailoverProcess(configuration: engine.configuration(replica: "ping_query: \"\(query)\""))
            let port = try await failover.port()
            #expect(await failover.logs(" slave is degraded: its server refuses the monitor."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            expectNoOutage(failover)
            try await failover.end()
        }

        struct Login: CustomTestStringConvertible, Sendable {
            let engine: Laboratory.Engine
            let spoil: String
            let mend: String
            var testDescription: String { "\(engine): \(spoil)" }
        }

        private static let logins = [
            Login(
                engine: .postgres, spoil: "alter role monitor password 'rotated'",
                mend: "alter role monitor password 'monitor-secret'"),
            Login(
                engine: .postgres, spoil: "alter role monitor valid until '2020-01-01'",
                mend: "alter role monitor valid until 'infinity'"),
            Login(engine: .postgres, spoil: "alter role monitor nologin", mend: "alter role monitor login"),
            Login(
                engine: .mariadb, spoil: "alter user monitor identified by 'rotated'",
                mend: "alter user monitor identified by 'monitor-secret'"),
            Login(
                engine: .mariadb, spoil: "alter user monitor account lock", mend: "alter user monitor account unlock"),
            Login(
                engine: .mariadb, spoil: "alter user monitor password expire",
                mend: "alter user monitor identified by 'monitor-secret'"),
            Login(
                engine: .mysql, spoil: "alter user monitor identified by 'rotated'",
                mend: "alter user monitor identified by 'monitor-secret'"),
            Login(engine: .mysql, spoil: "alter user monitor account lock", mend: "alter user monitor account unlock"),
            Login(
                engine: .mysql, spoil: "alter user monitor password expire",
                mend: "alter user monitor identified by 'monitor-secret'"),
        ]

        /// Case 2.
        @Test(arguments: logins.filter(\.engine.isUp))
        func aLoginThatIsRefusedToTheMonitorChangesNothingForClients(_ login: Login) async throws {
            let scratch = try Scratch()
            let engine = login.engine
            let failover = try FailoverProcess(
                configuration: """
                    admin: {listen: "unix:\(scratch.path("admin"))"}
                    notify: [{type: command, run: [/bin/sh, -c, "cat >> \(scratch.path("events"))"]}]
                    \(engine.configuration())
                    """)
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            let held = try held(engine, port, "wait", scratch.path("done"))
            #expect(await held.holds())
            try await engine.administer(login.spoil, at: .primary)
            for name in ["slave", "default"] {
                #expect(await failover.logs(" \(name) is degraded: its server refuses the monitor."))
            }
            try "".write(toFile: scratch.path("done"), atomically: true, encoding: .utf8)
            #expect(try await held.result() == "held 5 of 5, new replica 30")
            let status = try await failover.command("status").standardOutput
            #expect(status.contains(/slave +up, degraded/), "\(status)")
            let metrics = try await Command.run(
                ["curl", "-sS", "--unix-socket", scratch.path("admin"), "http://localhost/metrics"]).standardOutput
            #expect(metrics.contains("failover_service_degraded{service=\"slave\"} 1\n"))
            #expect(metrics.contains("failover_service_up{service=\"slave\",type="))
            try await engine.administer(login.mend, at: .primary)
            for name in ["slave", "default"] { #expect(await failover.logs("INFO \(name) is healthy again.")) }
            expectNoOutage(failover)
            @Sendable func told() -> [String] { scratch.text("events").split(separator: "\n").map(String.init) }
            for kind in ["degraded", "healthy"] {
                let word = "\"event\":\"\(kind)\""
                #expect(await eventually { told().count { $0.contains(word) } == 2 }, "\(told())")
            }
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func aRotatedPasswordIsReadAgainFromItsFile(_ engine: Laboratory.Engine) async throws {
            let scratch = try Scratch()
            let file = scratch.path("password")
            try "monitor-secret\n".write(toFile: file, atomically: true, encoding: .utf8)
            let configuration = engine.configuration()
            let failover = try FailoverProcess(
                configuration: """
                    admin: {listen: "unix:\(scratch.path("admin"))"}
                    \(configuration.replacing("password: monitor-secret", with: "password: {file: \(file)}"))
                    """)
            let former = try FailoverProcess(configuration: configuration)
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            let change = { (password: String) in
                engine == .postgres
                    ? "alter role monitor password '\(password)'" : "alter user monitor identified by '\(password)'"
            }
            // The file first: until the server has the new password too, it accepts the former one.
            try "rotated\n".write(toFile: file, atomically: true, encoding: .utf8)
            try await engine.administer(change("rotated"), at: .primary)
            for name in ["slave", "default"] {
                #expect(await former.logs(" \(name) is degraded"))
                let ping = try await failover.answerToPing(of: name, admin: scratch.path("admin"))
                #expect(ping.contains("\(name): up"), "\(ping)")
            }
            expectNoOutage(failover)
            #expect(!failover.log.contains { $0.contains("degraded") }, "\(failover.log.joined(separator: "\n"))")
            try await former.end()
            try await engine.administer(change("monitor-secret"), at: .primary)
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func whereTheOperatorWantsItARefusedPingIsAnOutage(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(
                configuration: engine.configuration(replica: "refused_ping: down").replacing(
                    "port: \(engine.replicaPort), user: monitor", with: "port: \(engine.replicaPort), user: unknown"))
            let port = try await failover.port()
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            try await failover.end()
        }

        /// Case 11.
        @Test func withoutDescriptorsNothingIsSaidOfTheServers() async throws {
            let engine = Laboratory.Engine.postgres
            let scratch = try Scratch()
            let failover = try FailoverProcess(configuration: engine.configuration())
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            let held = try held(engine, port, "wait", scratch.path("done"))
            #expect(await held.holds())
            _ = try await Command.run(["prlimit", "--pid", "\(failover.pid)", "--nofile=8:"])
            for name in ["slave", "default"] {
                #expect(await failover.logs("ERROR \(name) could not be pinged. Its state does not change."))
            }
            _ = try await Command.run(["prlimit", "--pid", "\(failover.pid)", "--nofile=1024:"])
            try "".write(toFile: scratch.path("done"), atomically: true, encoding: .utf8)
            #expect(try await held.result() == "held 5 of 5, new replica 30")
            expectNoOutage(failover)
            try await failover.end()
        }

        /// Case 11.
        @Test(.enabled(if: getuid() == 0, "needs root: a network namespace of its own"))
        func withoutSourcePortsNothingIsSaidOfTheServers() async throws {
            let program = "\(Laboratory.root)/Tests/IntegrationTests/Clients/ports.py"
            let output = try await Command.run(
                ["timeout", "120", "/usr/bin/python3", "-B", program, FailoverProcess.binary])
            #expect(output.status == 0, "\(output)")
        }

        /// Case 29.
        @Test(arguments: Laboratory.Engine.allCases)
        func aReplicaThatHasLostItsPrimaryServesOldDataLoudly(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(
                configuration: engine.configuration(
                    primary: "role: primary", replica: "role: replica, max_lag: 1s"))
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try await engine.fault("kill", on: .primary)
            #expect(await failover.logs("CRITICAL default outage."))
            #expect(await failover.logs("WARNING slave is stale."))
            for _ in 0..<10 { #expect(try await engine.whoAnswers(at: port) == engine.replicaPort) }
            #expect(await failover.logs("WARNING slave: no fresh server is available, slave serves stale data"))
            try await engine.fault("start", on: .primary)
            #expect(await failover.logs("INFO default is back up."))
            #expect(await failover.logs("INFO slave is fresh again."))
            try await failover.end()
        }
    }
}

/// `Clients/held.py`, running beside the test.
private final class HeldSessions: Sendable {
    private let process: ChildProcess
    private let scratch: Scratch

    init(_ arguments: [String]) throws {
        scratch = try Scratch()
        let path = "\(Laboratory.root)/Tests/IntegrationTests/Clients/held.py"
        process = try ChildProcess(
            ["timeout", "280", "/usr/bin/python3", "-B", path] + arguments, output: scratch.path("out"),
            error: scratch.path("err"))
    }

    /// Whether it holds its sessions.
    func holds() async -> Bool { await eventually { self.scratch.text("out").contains("holding") } }

    /// Its last line, or its error.
    func result() async throws -> String {
        let status = try await process.status()
        let last = scratch.text("out").split(separator: "\n").last.map(String.init) ?? ""
        return status == 0 ? last : "exit status \(status): \(scratch.text("err"))"
    }
}
