import FailoverTesting
import Testing

extension RealServers {
    /// Sessions that go on with another server, with real servers and a real driver. None of its connections is opened
    /// again.
    @Suite("Migration of sessions")
    struct MigrationTests {
        private let engine = Laboratory.Engine.postgres

        /// What the program of `Clients/` prints in one of its phases.
        private func play(_ phase: String, pingTimeout: String = "60s", more: String = "") async throws -> [String] {
            let scratch = try Scratch()
            let admin = scratch.path("admin")
            let route = "on_outage: migrate, on_recovery: migrate\(more)"
            let failover = try FailoverProcess(
                configuration: """
                    admin: {listen: "unix:\(admin)"}
                    \(engine.configuration(pingTimeout: pingTimeout, route: route))
                    """)
            let path = "\(Laboratory.root)/Tests/IntegrationTests/Clients/migrate.py"
            let output = try await Command.run(
                [
                    "timeout", "560", "/usr/bin/python3", "-B", path, phase, "\(try await failover.port())", admin,
                    "\(engine.replicaPort)", "\(engine.primaryPort)", Laboratory.script,
                ])
            #expect(output.status == 0, "\(output)\n\(failover.log.joined(separator: "\n"))")
            try await failover.end()
            return output.standardOutput.split(separator: "\n").map(String.init)
        }

        @Test func noWorkingSessionNoticesADrain() async throws {
            #expect(try await play("drain") == ["0 errors", "8 sessions at both servers"])
        }

        @Test func failoverReadOnlyAppliesToThoseThatGoToAFailoverAlias() async throws {
            #expect(
                try await play("drain", more: ", failover_read_only: true") == ["0 errors", "8 sessions at both servers"])
        }

        @Test func noRestingSessionNoticesAnOutage() async throws {
            #expect(try await play("outage") == ["all went and came back", "cancelled"])
        }

        @Test func whatPinsASessionIsShown() async throws {
            #expect(
                try await play("pinned") == [
                    "pinned and free again: prepared_statements cursors advisory_locks role"
                ])
        }
    }
}
