import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// The promise of `max_lag`, and of `lag_recovers_at`: both are kept to within two pings, and nothing moves between
    /// them. Time is what the proxy's own log and pings say, so that a slow machine only makes it later.
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
                // Connected for the first time, it may count as down for want of privileges or of an address.
                #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })

                for _ in 0..<5 { try await watch.look() }
                try await engine.fault(fault)
                let standstill = try await beats.latest()
                try await watch.look(until: "WARNING slave is stale.")
                try await watch.look(6, after: "WARNING slave is stale.")
                // They have ended before the ping that could find it fresh again.
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

                // The first ping after the limit was passed sees it; a second one may have been needed to be sure.
                let limit = standstill + maxLag
                #expect(watch.pings(after: limit, before: stale) <= 2, "\(watch.pings)")
                // Not before: known since the latest ping that found all well, whose seconds may be whole ones.
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
