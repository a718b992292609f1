import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// What systemd passes and hears, played by the test.
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
            // As it was bound before the program began.
            #expect(try String(contentsOfFile: failover.configurationPath, encoding: .utf8).contains(":\(port)\""))
            #expect(await failover.logs("WARNING no route listens on 127.0.0.1:"))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            #expect(await eventually { manager.lines.contains("READY=1") })
            // The event loops turn, so it says so again and again.
            let before = manager.lines.count { $0 == "WATCHDOG=1" }
            #expect(await eventually { manager.lines.count { $0 == "WATCHDOG=1" } > before + 2 })

            failover.signal(SIGHUP)
            #expect(await failover.logs("configuration reloaded: nothing has changed"))
            #expect(await eventually { manager.lines.count { $0 == "READY=1" } == 2 })
            let words = manager.lines.filter { $0 == "READY=1" || $0 == "RELOADING=1" }
            #expect(words == ["READY=1", "RELOADING=1", "READY=1"])
            #expect(manager.lines.contains { $0.hasPrefix("MONOTONIC_USEC=") })

            try await failover.end()
            #expect(manager.lines.contains("STOPPING=1"))
        }
    }
}
