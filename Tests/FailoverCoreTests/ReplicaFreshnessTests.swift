import FailoverCore
import Testing

@Suite("Whether a replica is fresh")
struct ReplicaFreshnessTests {
    typealias Verdict = ReplicaFreshness.Verdict

    /// Seconds from the start.
    private func at(_ seconds: Int) -> MonotonicTime { MonotonicTime(.seconds(seconds)) }

    private func replica(_ whenStopped: ReplicationPolicy.WhenStopped = .lag) -> ReplicaFreshness {
        ReplicaFreshness(
            policy: ReplicationPolicy(maxLag: .seconds(10), recoversAt: .seconds(5), whenStopped: whenStopped))
    }

    private func behind(_ seconds: Int) -> ReplicationReading { ReplicationReading(behind: .seconds(seconds)) }

    /// What PostgreSQL says; `known` is `nil` while it is cut off.
    private func positions(
        _ known: UInt64?, _ applied: UInt64, age: Int? = 3600, stopped: String? = nil
    ) -> ReplicationReading {
        ReplicationReading(
            stopped: stopped ?? (known == nil ? "cut off" : nil), behind: age.map { .seconds($0) },
            positions: .init(known: known, applied: applied))
    }

    private func stale(_ seconds: Int?, _ stopped: String? = nil) -> Verdict {
        .stale(Staleness(behind: seconds.map { .seconds($0) }, stopped: stopped))
    }

    @Test func itIsStaleBeyondTheLimitAndFreshAgainBelowTheOther() {
        var replica = replica()
        let verdicts = [0, 10, 11, 10, 6, 5, 10, 11].enumerated().map { replica.observe(behind($1), now: at($0)) }
        #expect(verdicts == [.fresh, .fresh, stale(11), stale(10), stale(6), .fresh, .fresh, stale(11)])
    }

    @Test func halfTheLimitIsEnoughUnlessTheOtherIsGiven() {
        #expect(ReplicationPolicy(maxLag: .seconds(9)).recoversAt == .milliseconds(4500))
    }

    @Test func anIdlePrimaryIsNoLag() {
        var replica = replica()
        for second in [0, 1, 3600] { #expect(replica.observe(positions(100, 100), now: at(second)) == .fresh) }
    }

    @Test func aPrimaryThatWritesAgainAfterALongTimeIsNoLag() {
        var replica = replica()
        _ = replica.observe(positions(100, 100), now: at(0))
        // The first new record is on its way: the last transaction is an hour old, and yet nothing was missing a second ago.
        #expect(replica.observe(positions(200, 100), now: at(1)) == .fresh)
        #expect(replica.observe(positions(300, 200), now: at(2)) == .fresh)
    }

    @Test func aReplicaThatAppliesTooSlowlyIsBehindWhatItKnewEarlier() {
        var replica = replica()
        for second in 0...10 {
            #expect(replica.observe(positions(UInt64(second * 100), 0), now: at(second)) == .fresh)
        }
        #expect(replica.observe(positions(1100, 50), now: at(11)) == stale(11))
        // All that it knew of after 4 seconds.
        #expect(replica.observe(positions(1200, 450), now: at(12)) == stale(8))
        #expect(replica.observe(positions(1300, 800), now: at(13)) == .fresh)
    }

    @Test func aCutReceiverIsLagFromTheMomentOfTheCut() {
        var replica = replica()
        _ = replica.observe(positions(100, 100), now: at(100))
        #expect(replica.observe(positions(nil, 100), now: at(110)) == .fresh)
        #expect(replica.observe(positions(nil, 100), now: at(111)) == stale(11, "cut off"))
        #expect(replica.observe(positions(nil, 100), now: at(160)) == stale(60, "cut off"))
        // It is back, far behind, and catches up.
        #expect(replica.observe(positions(900, 200), now: at(161)) == stale(61))
        #expect(replica.observe(positions(1000, 950), now: at(162)) == .fresh)
    }

    @Test func pausedReplayIsNoLagWhileThereIsNothingToReplay() {
        var replica = replica()
        _ = replica.observe(positions(100, 100), now: at(0))
        #expect(replica.observe(positions(100, 100, stopped: "paused"), now: at(60)) == .fresh)
        #expect(replica.observe(positions(200, 100, stopped: "paused"), now: at(71)) == stale(11, "paused"))
    }

    @Test func aReplicaThatIsCutOffWhenItIsFirstSeenIsAsOldAsItsLastTransaction() {
        var replica = replica()
        #expect(replica.observe(positions(nil, 100, age: 7), now: at(0)) == .fresh)
        #expect(replica.observe(positions(nil, 100, age: 11), now: at(4)) == stale(11, "cut off"))
        var silent = self.replica()
        #expect(silent.observe(positions(nil, 0, age: nil), now: at(0)) == stale(nil, "cut off"))
    }

    @Test func aReplicaThatHasStoppedFallsBehindFromThatMoment() {
        let stopped = ReplicationReading(stopped: "no thread")
        var replica = replica()
        _ = replica.observe(behind(2), now: at(0))
        #expect(replica.observe(stopped, now: at(8)) == .fresh)
        #expect(replica.observe(stopped, now: at(9)) == stale(11, "no thread"))
        #expect(replica.observe(behind(6), now: at(10)) == stale(6))
        #expect(replica.observe(behind(0), now: at(11)) == .fresh)
        // Of one that was never seen to follow nobody knows.
        var unknown = self.replica()
        #expect(unknown.observe(stopped, now: at(0)) == stale(nil, "no thread"))
    }

    @Test func replicationThatHasStoppedIsAnOutageOrNothingIfThatIsWanted() {
        let stopped = ReplicationReading(stopped: "no thread")
        var strict = replica(.down)
        #expect(strict.observe(behind(0), now: at(0)) == .fresh)
        #expect(strict.observe(stopped, now: at(1)) == .down("no thread"))
        var lenient = replica(.ignore)
        #expect(lenient.observe(stopped, now: at(1)) == .fresh)
        #expect(lenient.observe(behind(11), now: at(2)) == stale(11))
        var unlimited = ReplicaFreshness(policy: ReplicationPolicy(maxLag: nil, whenStopped: .down))
        #expect(unlimited.observe(behind(100_000), now: at(0)) == .fresh)
        #expect(unlimited.observe(stopped, now: at(1)) == .down("no thread"))
    }

    @Test func aLongTimeWithoutProgressIsRememberedRoughly() {
        var replica = replica()
        for second in 0..<10_000 { _ = replica.observe(positions(UInt64(second + 1), 0, age: nil), now: at(second)) }
        guard case .stale(let staleness) = replica.observe(positions(10_001, 5000, age: nil), now: at(10_000)),
            let behind = staleness.behind
        else {
            Issue.record("not stale")
            return
        }
        #expect(behind >= .seconds(5000) && behind < .seconds(5500), "\(behind)")
    }
}
