import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// `max_lag` and `lag_recovers_at` are observed within two pings, and no session moves in between. Times are
    /// those of the proxy's own log and pings, so that a slow machine only delays them.
    @Suite("A replica at a standstill")
    struct StandstillTests {
        private let maxLag = 4.0
        private let recoversAt = 2.0

        @Test(arguments: [("pause", "resume"), ("cut", "mend")])
        func newSessionsLeaveItAndComeBackAtTheTwoMarks(fault: String, undo: String) async throws {
            try await Laboratory.Engine.besideEachOther { engine in
                let scratch = try Scratch()
                let beats = try await Beats(engine)
                let failover = try FailoverProcess(
                    configuration: "admin: {listen: \"unix:\(scratch.path("admin"))\"}\n"
                        + engine.configuration(
                            replica: """
                                role: replica, max_lag: \(Int(maxLag))s, lag_recovers_at: \(Int(recoversAt))s, \
                                monitoring_ping_frequency: 1s
                                """))
                let port = try await failover.port()
                var watch = Watch(engine, beats, failover, port: port, admin: scratch.path("admin"))
                // At its first connection, a replica may count as down because it lacks privileges or an address.
                #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })

                for _ in 0..<5 { try await watch.look() }
                // They ended before the last ping that is seen before the replica is stale.
                try await watch.look(pings: 2)
                try await engine.fault(fault)
                let standstill = try await beats.latest()
                try await watch.look(until: "WARNING slave is stale.")
                try await watch.look(6, after: "WARNING slave is stale.")
                // They ended before the ping that could find it fresh again.
                try await watch.look(pings: 2)
                let resumed = Date().timeIntervalSince1970
                try await engine.fault(undo)
                try await watch.look(until: "INFO slave is fresh again.")
                try await watch.look(2, after: "INFO slave is fresh again.")
                try await beats.stop()
                try await failover.end()

                let stale = try #require(failover.time(of: "WARNING slave is stale."))
                let fresh = try #require(failover.time(of: "INFO slave is fresh again."))
                #expect(failover.log.count { $0.contains("slave is stale.") || $0.contains("slave is fresh") } == 2)
                watch.expectSessions(movedAt: stale, andBackAt: fresh)

                // The first ping after the limit was exceeded detects it. A second one may have been needed to
                // confirm it.
                let limit = standstill + maxLag
                #expect(watch.pings(after: limit, before: stale) <= 2, "\(watch.pings)")
                // Not earlier than the latest successful ping allows, whose time may be in whole seconds.
                #expect(stale > limit - watch.longestPause(before: standstill) - 1.2)
                let caughtUp = try #require(watch.looks.first { $0.time > resumed && $0.lag <= recoversAt }).time
                #expect(watch.pings(after: caughtUp, before: fresh) <= 2, "\(watch.pings)")
                #expect(fresh > resumed)
                let first = try #require(watch.looks.first { $0.began > fresh })
                #expect(first.lag <= recoversAt, "\(first)")
            }
        }
    }
}
