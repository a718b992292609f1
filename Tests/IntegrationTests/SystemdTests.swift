import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// What systemd passes and receives, simulated by the test.
    @Suite("Under systemd")
    struct SystemdTests {
        private let scratch: Scratch
        private let engine = Laboratory.Engine.postgres

        init() throws { scratch = try Scratch() }

        @Test func socketsThatArePassedAreServedAndTheServiceManagerHearsHowItGoes() async throws {
            let manager = NotifySocket(scratch.path("notify"))
            let failover = try FailoverProcess(
                configuration: engine.configuration(),
                prefix: [
                    "/usr/bin/python3", "\(Laboratory.root)/Tests/IntegrationTests/Clients/activate.py",
                    scratch.path("notify"),
                ])
            let port = try await failover.port()
            // The socket was bound before the program began.
            #expect(try String(contentsOfFile: failover.configurationPath, encoding: .utf8).contains(":\(port)\""))
            #expect(await failover.logs("WARNING no route listens on 127.0.0.1:"))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            #expect(await eventually { manager.lines.contains("READY=1") })
            // While the event loops run, it is sent repeatedly.
            let before = manager.lines.count { $0 == "WATCHDOG=1" }
            #expect(await eventually { manager.lines.count { $0 == "WATCHDOG=1" } > before + 2 })

            failover.signal(SIGHUP)
            #expect(await failover.logs("configuration reloaded: nothing has changed"))
            #expect(await eventually { manager.lines.count { $0 == "READY=1" } == 2 })
            let message = manager.lines.filter { $0 == "READY=1" || $0 == "RELOADING=1" }
            #expect(message == ["READY=1", "RELOADING=1", "READY=1"])
            #expect(manager.lines.contains { $0.hasPrefix("MONOTONIC_USEC=") })

            try await failover.end()
            #expect(manager.lines.contains("STOPPING=1"))
        }

        /// Case 12: 74 to 97 % of a core, without end.
        @Test func aRouteThatIsTakenAwayCostsNothingThoughItsSocketIsHeld() async throws {
            let backend = EchoBackend(greeting: "r:")
            func text(_ routes: [(name: String, port: Int)]) -> String {
                "databases:\n  a: {engine: tcp, host: 127.0.0.1, port: \(backend.port)}\nservices:\n"
                    + routes.map { name, port in
                        "  \(name): {type: database, db_alias: a, failover_db_alias: [], listen: \"127.0.0.1:\(port)\"}\n"
                    }.joined()
            }
            // The system chooses the port in place of the first route's 0.
            let failover = try FailoverProcess(
                configuration: text([("slave", 0)]),
                prefix: [
                    "/usr/bin/python3", "\(Laboratory.root)/Tests/IntegrationTests/Clients/activate.py",
                    scratch.path("nobody"),
                ])
            let port = try await failover.port()
            try failover.configure(text([("other", 0)]))
            failover.signal(SIGHUP)
            #expect(await failover.logs("configuration reloaded: other added"))
            // The client waits in a queue that no process reads.
            let client = try await TCPClient.connect(port: port)
            let before = try failover.processorTime()
            // The processor time of the process in this interval is measured.
            try await ContinuousClock().sleep(for: .seconds(3))
            #expect(try failover.processorTime() - before < 1)
            _ = client
            try await failover.end()
        }
    }
}
