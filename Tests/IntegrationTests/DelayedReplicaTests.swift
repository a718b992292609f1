import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Replicas that apply changes with a configured delay: a constant lag between the two limits.
    @Suite("A replica between the marks")
    struct DelayedReplicaTests {
        private let near = 1
        private let between = 5
        private let far = 9

        private func delay(_ engine: Laboratory.Engine, _ seconds: Int) async throws {
            switch engine {
            case .postgres:
                try await engine.administer(
                    "alter system set recovery_min_apply_delay = '\(seconds)s'", at: .replica)
                try await engine.administer("select pg_reload_conf()", at: .replica)
            case .mariadb:
                // For a moment the replica reports no lag at all.
                try await engine.administer(
                    "stop slave// change master to master_delay = \(seconds)// start slave",
                    at: .replica)
            case .mysql:
                try await engine.administer(
                    "stop replica// change replication source to source_delay = \(seconds)// start replica",
                    at: .replica)
            }
        }

        private func follows(_ engine: Laboratory.Engine) async throws -> Bool {
            switch engine {
            case .postgres: true
            case .mariadb:
                try await engine.administer("show all slaves status", at: .replica).contains("\tYes\tYes\t")
            case .mysql:
                try await engine.administer("show replica status", at: .replica).contains("\tYes\tYes\t")
            }
        }

        @Test func nothingMovesBetweenTheMarks() async throws {
            try await Laboratory.Engine.besideEachOther { engine in
                let scratch = try Scratch()
                let beats = try await Beats(engine)
                try await delay(engine, near)
                #expect(try await eventually { try await follows(engine) })
                let failover = try FailoverProcess(
                    configuration: "admin: {listen: \"unix:\(scratch.path("admin"))\"}\n"
                        + engine.configuration(replica: "role: replica, max_lag: 7s, lag_recovers_at: 3s"))
                let port = try await failover.port()
                var watch = Watch(engine, beats, failover, port: port, admin: scratch.path("admin"))
                #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })

                try await watch.look(pings: 1)

                // While the lag rises, it is fresh.
                try await delay(engine, between)
                #expect(try await eventually { try await beats.lag() > 4 })
                try await watch.look(pings: 6)
                #expect(
                    watch.looks.suffix(6).allSatisfy { $0.server == engine.replicaPort && $0.lag > 3 }, "\(watch.looks)"
                )
                #expect(!failover.log.contains { $0.contains("slave is stale.") }, "\(failover.log)")

                try await delay(engine, far)
                try await watch.look(until: "WARNING slave is stale.")

                // While the lag falls, it is stale.
                try await delay(engine, between)
                #expect(try await eventually { try await beats.lag() < 6.5 })
                try await watch.look(pings: 6)
                #expect(
                    watch.looks.suffix(6).allSatisfy { $0.server == engine.primaryPort && $0.lag < 7 }, "\(watch.looks)"
                )
                #expect(!failover.log.contains { $0.contains("slave is fresh") })

                try await delay(engine, near)
                try await watch.look(until: "INFO slave is fresh again.")
                #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
                #expect(failover.log.count { $0.contains("slave is stale.") || $0.contains("slave is fresh") } == 2)
                try await delay(engine, 0)
                try await beats.stop()
                try await failover.end()
            }
        }
    }
}
