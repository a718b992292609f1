import FailoverCore
import Testing

@Suite("Whether a replica is fresh")
struct ReplicaFreshnessTests {
    typealias Verdict = ReplicaFreshness.Verdict

    /// A time in seconds from the start.
    private func at(_ seconds: Int) -> MonotonicTime { MonotonicTime(.seconds(seconds)) }

    private func replica(_ whenStopped: ReplicationPolicy.WhenStopped = .lag) -> ReplicaFreshness {
        ReplicaFreshness(
            policy: ReplicationPolicy(maxLag: .seconds(10), recoversAt: .seconds(5), whenStopped: whenStopped))
    }

    private func behind(_ seconds: Int) -> ReplicationReading { ReplicationReading(behind: .seconds(seconds)) }

    /// A reading of PostgreSQL; `known` is `nil` while the replica is cut off.
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
        let verdicts = [0, 10, 11, 10, 6, 5, 5, 10, 11].enumerated().map { replica.observe(behind($1), now: at($0)) }
        #expect(verdicts == [.fresh, .fresh, stale(11), stale(10), stale(6), stale(7), .fresh, .fresh, stale(11)])
    }

    @Test func whoBeginsToFollowAgainIsNotBelievedAtTheFirstWord() {
        var replica = replica()
        #expect(replica.observe(behind(11), now: at(0)) == stale(11))
        #expect(replica.observe(ReplicationReading(stopped: "no thread"), now: at(1)) == stale(12, "no thread"))
        // The replica has read nothing yet.
        #expect(replica.observe(behind(0), now: at(2)) == stale(13))
        #expect(replica.observe(behind(9), now: at(3)) == stale(9))
        #expect(replica.observe(behind(0), now: at(4)) == stale(10))
        #expect(replica.observe(behind(1), now: at(5)) == .fresh)
        // A heartbeat is believed at once.
        var beating = self.replica()
        for (time, lag) in [(0, 11), (1, 0)] {
            let verdict = beating.observe(ReplicationReading(heartbeat: .behind(.seconds(lag))), now: at(time))
            #expect(verdict == (lag == 0 ? .fresh : stale(11)))
        }
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
        // The first new record is on its way. The last transaction is an hour old, but nothing was missing a second
        // ago.
        #expect(replica.observe(positions(200, 100), now: at(1)) == .fresh)
        #expect(replica.observe(positions(300, 200), now: at(2)) == .fresh)
    }

    @Test func aReplicaThatAppliesTooSlowlyIsBehindWhatItKnewEarlier() {
        var replica = replica()
        for second in 0...10 {
            #expect(replica.observe(positions(UInt64(second * 100), 0), now: at(second)) == .fresh)
        }
        #expect(replica.observe(positions(1100, 50), now: at(11)) == stale(11))
        // The replica has applied everything that it knew of after 4 seconds.
        #expect(replica.observe(positions(1200, 450), now: at(12)) == stale(8))
        #expect(replica.observe(positions(1300, 800), now: at(13)) == .fresh)
    }

    @Test func aCutReceiverIsLagFromTheMomentOfTheCut() {
        var replica = replica()
        _ = replica.observe(positions(100, 100), now: at(100))
        #expect(replica.observe(positions(nil, 100), now: at(110)) == .fresh)
        #expect(replica.observe(positions(nil, 100), now: at(111)) == stale(11, "cut off"))
        #expect(replica.observe(positions(nil, 100), now: at(160)) == stale(60, "cut off"))
        // The replica is connected again, far behind, and catches up.
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
        #expect(replica.observe(behind(0), now: at(11)) == stale(7))
        #expect(replica.observe(behind(0), now: at(12)) == .fresh)
        // The lag of a replica that was never seen to follow is unknown.
        var unknown = self.replica()
        #expect(unknown.observe(stopped, now: at(0)) == stale(nil, "no thread"))
    }

    @Test func replicationThatHasStoppedIsNothingIfThatIsWanted() {
        let stopped = ReplicationReading(stopped: "no thread")
        var lenient = replica(.ignore)
        #expect(lenient.observe(stopped, now: at(1)) == .fresh)
        #expect(lenient.observe(behind(11), now: at(2)) == stale(11))
        var unlimited = ReplicaFreshness(policy: ReplicationPolicy(maxLag: nil, whenStopped: .down))
        #expect(unlimited.observe(behind(100_000), now: at(0)) == .fresh)
    }

    @Test func aHeartbeatCountsInPlaceOfTheServersWord() {
        func beat(_ seconds: Int?, server: Int = 0, stopped: String? = nil) -> ReplicationReading {
            ReplicationReading(
                stopped: stopped, behind: .seconds(server),
                heartbeat: seconds.map { .behind(.seconds($0)) } ?? .unknown)
        }
        var replica = replica()
        #expect(replica.observe(beat(0, server: 100), now: at(0)) == .fresh)
        #expect(replica.observe(beat(11), now: at(1)) == stale(11))
        #expect(replica.behind == .seconds(11))
        #expect(replica.observe(beat(6), now: at(2)) == stale(6))
        #expect(replica.observe(beat(5), now: at(3)) == .fresh)
        // The lag is unknown.
        #expect(replica.observe(beat(nil), now: at(4)) == stale(nil))
        #expect(replica.observe(beat(2, stopped: "no thread"), now: at(100)) == .fresh)
        #expect(replica.observe(beat(12, stopped: "no thread"), now: at(101)) == stale(12, "no thread"))
        var lenient = self.replica(.ignore)
        #expect(lenient.observe(beat(2, stopped: "no thread"), now: at(0)) == .fresh)
        #expect(lenient.observe(beat(12, stopped: "no thread"), now: at(0)) == stale(12))
    }

    @Test func aClockThatIsBehindThePrimarysHidesNoLag() {
        func reading(age: Int, clockBehind: Int?) -> ReplicationReading {
            ReplicationReading(
                behind: .seconds(age), positions: .init(known: 200, applied: 100),
                clockBehind: clockBehind.map { .seconds($0) })
        }
        // By the replica's clock, the last transaction is an hour in the future.
        var replica = replica()
        #expect(replica.observe(reading(age: -3590, clockBehind: 3600), now: at(0)) == .fresh)
        #expect(replica.observe(reading(age: -3589, clockBehind: 3600), now: at(1)) == stale(11))
        // The clock difference is remembered while the replica is cut off.
        #expect(replica.observe(reading(age: -3580, clockBehind: nil), now: at(10)) == stale(20))
        // A clock that is ahead makes a transaction look old. The positions show the truth.
        var ahead = self.replica()
        _ = ahead.observe(positions(100, 100), now: at(0))
        #expect(ahead.observe(reading(age: 3600, clockBehind: 0), now: at(1)) == .fresh)
        #expect(ahead.behind == .seconds(1))
    }

    @Test func aTransactionOfTheFutureHidesNoLag() {
        // The primary's clock was set back after the transaction.
        var replica = replica()
        _ = replica.observe(positions(100, 100, age: -3600), now: at(0))
        #expect(replica.observe(positions(200, 100, age: -3600), now: at(10)) == .fresh)
        #expect(replica.observe(positions(nil, 100, age: -3600), now: at(11)) == stale(11, "cut off"))
        // There is nothing to compare with. A replica that follows is believed, one that does not is not.
        var following = self.replica()
        #expect(following.observe(positions(200, 100, age: -3600), now: at(0)) == .fresh)
        var cut = self.replica()
        #expect(cut.observe(positions(nil, 100, age: -3600), now: at(0)) == stale(nil, "cut off"))
        // This small difference is noise.
        var near = self.replica()
        _ = near.observe(positions(100, 100, age: 0), now: at(0))
        let late = ReplicationReading(behind: .milliseconds(-900), positions: .init(known: 300, applied: 99))
        _ = near.observe(late, now: at(100))
        #expect(near.behind == .zero)
    }

    /// The verdict for a replica with a limit in bytes only.
    private func far(_ bytes: UInt64?, _ stopped: String? = nil) -> Verdict {
        .stale(Staleness(behind: nil, bytesBehind: bytes, stopped: stopped))
    }

    @Test func bytesOfThePrimarysLogHaveALimitOfTheirOwn() {
        var replica = ReplicaFreshness(policy: ReplicationPolicy(maxLag: nil, maxLagBytes: 100))
        let known: [UInt64] = [1000, 1100, 1101, 1051, 1050, 1101]
        let verdicts = known.enumerated().map { replica.observe(positions($1, 1000), now: at($0)) }
        #expect(verdicts == [.fresh, .fresh, far(101), far(51), .fresh, far(101)])
        #expect("\(Staleness(behind: nil, bytesBehind: 48 << 20))" == "48 MB behind")
        #expect(
            "\(Staleness(behind: .seconds(12), bytesBehind: 900, stopped: "cut off"))"
                == "12s and 900 bytes behind: cut off")
    }

    @Test func whatThePrimaryHasToldIsABoundBelow() {
        func told(_ primary: UInt64?, known: UInt64?, _ applied: UInt64) -> ReplicationReading {
            ReplicationReading(
                stopped: known == nil ? "cut off" : nil, behind: .zero,
                positions: .init(known: known, applied: applied, primary: primary))
        }
        var replica = ReplicaFreshness(policy: ReplicationPolicy(maxLag: nil, maxLagBytes: 100))
        // The primary's position was reported long ago.
        #expect(replica.observe(told(200, known: 1000, 1000), now: at(0)) == .fresh)
        // The receiver looks alive, but has received nothing for some time.
        #expect(replica.observe(told(1101, known: 1000, 1000), now: at(1)) == far(101))
        #expect(replica.observe(told(1101, known: 1101, 1101), now: at(2)) == .fresh)
        #expect(replica.observe(told(1300, known: nil, 1101), now: at(3)) == far(199, "cut off"))
        // No position is reported any more, and the replica has applied everything that was known.
        #expect(replica.observe(told(nil, known: nil, 1101), now: at(4)) == .fresh)
        var unknown = ReplicaFreshness(policy: ReplicationPolicy(maxLag: nil, maxLagBytes: 100))
        #expect(unknown.observe(told(nil, known: nil, 1101), now: at(0)) == far(nil, "cut off"))
        // A server without positions is a primary, which has no lag.
        #expect(unknown.observe(behind(0), now: at(1)) == .fresh)
    }

    @Test func aReceiverThatOnlyLooksAliveIsLagByTheClockToo() {
        var replica = ReplicaFreshness(policy: ReplicationPolicy(maxLag: .seconds(10), maxLagBytes: 1000))
        for second in 0...20 {
            let primary = UInt64(100 + second * 10)
            let reading = ReplicationReading(
                behind: .seconds(second), positions: .init(known: 100, applied: 100, primary: primary))
            #expect((replica.observe(reading, now: at(second)) == .fresh) == (second <= 10))
        }
    }

    @Test func eitherLimitIsEnough() {
        var replica = ReplicaFreshness(
            policy: ReplicationPolicy(maxLag: .seconds(10), recoversAt: .seconds(5), maxLagBytes: 100))
        _ = replica.observe(positions(100, 100), now: at(0))
        #expect(replica.observe(positions(150, 100), now: at(11)) == stale(11))
        #expect(
            replica.observe(positions(310, 149), now: at(12))
                == .stale(Staleness(behind: .seconds(12), bytesBehind: 161)))
        #expect(replica.observe(positions(310, 310), now: at(13)) == .fresh)
        #expect(replica.observe(positions(500, 310), now: at(14)) == far(190))
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
