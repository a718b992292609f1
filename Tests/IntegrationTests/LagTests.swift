import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Replicas that answer, with old data.
    @Suite("Replicas that lag")
    struct LagTests {
        private let replica = "role: replica, max_lag: 1s"

        /// Writes to the primary, so that there is something to apply.
        private func write(_ engine: Laboratory.Engine) async throws {
            try await engine.execute("create table if not exists lag (id int)", at: engine.primaryPort)
            try await engine.execute("insert into lag values (1)", at: engine.primaryPort)
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func replicaThatAppliesNothingServesNoNewSession(_ engine: Laboratory.Engine) async throws {
            let words = engine == .postgres ? "replay is paused" : "the SQL thread is stopped"
            let failover = try FailoverProcess(
                configuration: engine.configuration(primary: "role: primary", replica: replica))
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })

            try await engine.fault("pause")
            try await write(engine)
            #expect(await failover.logs("WARNING slave is stale. Others are preferred."))
            #expect(failover.log.contains { $0.contains("behind: \(words)") && $0.contains("serving=default") })
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)

            try await engine.fault("resume")
            #expect(await failover.logs("INFO slave is fresh again."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            #expect(!failover.log.contains { $0.hasPrefix("CRITICAL") })
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func replicationThatHasStoppedIsAnOutageWhereThatIsWanted(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(
                configuration: engine.configuration(replica: "\(replica), replication_stopped: down"))
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try await engine.fault("pause")
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(await failover.logs("reason=\"replication stopped\""))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            try await engine.fault("resume")
            #expect(await failover.logs("INFO slave is back up."))
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func replicaThatIsCutOffLagsAndServesWhenNobodyElseDoes(_ engine: Laboratory.Engine) async throws {
            let unused = UnusedPort()
            let failover = try FailoverProcess(
                configuration: engine.configuration(
                    replica: replica, route: "serve_stale: true",
                    ports: [unused.port, UInt16(engine.replicaPort)]))
            let port = try await failover.port()
            #expect(await failover.logs("CRITICAL default outage."))
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try await engine.fault("cut")
            #expect(await failover.logs("WARNING slave is stale."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)

            let ping = try await failover.command("ping", "slave")
            #expect(ping.standardOutput.contains(" stale "), "\(ping.standardOutput)")
            try await engine.fault("mend")
            #expect(await failover.logs("INFO slave is fresh again."))
            try await failover.end()
        }

        @Test func withoutServeStaleTheClientReadsWhyNobodyServes() async throws {
            let engine = Laboratory.Engine.postgres
            let unused = UnusedPort()
            let failover = try FailoverProcess(
                configuration: engine.configuration(
                    replica: replica, ports: [unused.port, UInt16(engine.replicaPort)]))
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try await engine.fault("cut")
            #expect(await failover.logs("WARNING slave is stale."))
            let error = try await engine.standardError(at: port)
            #expect(error.contains("slave: stale"), "\(error)")
            try await engine.fault("mend")
            #expect(await failover.logs("INFO slave is fresh again."))
            try await failover.end()
        }
    }
}
