import FailoverCore
import Testing

@testable import FailoverProxy

@Suite("When a session that must move may be ended")
struct DrainEligibilityTests {
    private func moment(
        _ now: UInt64, since: UInt64, lastActivity: UInt64, startedAt: UInt64,
        _ times: DrainTimes = DrainTimes(moving: SessionSettings())
    ) -> DrainEligibility {
        let millisecond: UInt64 = 1_000_000
        return DrainEligibility(
            now: now * millisecond, since: since * millisecond, lastActivity: lastActivity * millisecond,
            startedAt: startedAt * millisecond, times: times)
    }

    @Test func oneThatHasSaidNothingForASecond() {
        #expect(moment(11_000, since: 10_000, lastActivity: 10_000, startedAt: 0).hasRested)
        #expect(!moment(10_999, since: 10_000, lastActivity: 10_000, startedAt: 0).hasRested)
        #expect(moment(10_000, since: 10_000, lastActivity: 0, startedAt: 0).hasRested)
    }

    @Test func oneThatHasJustBegunIsAboutToBeUsed() {
        #expect(!moment(11_999, since: 10_500, lastActivity: 10_010, startedAt: 10_000).hasRested)
        #expect(moment(12_000, since: 10_500, lastActivity: 10_010, startedAt: 10_000).hasRested)
    }

    @Test func oneThatNeverRestsIsEndedAtAnyBoundaryAfterHalfAMinute() {
        #expect(!moment(39_999, since: 10_000, lastActivity: 39_999, startedAt: 0).isRestless)
        #expect(moment(40_000, since: 10_000, lastActivity: 40_000, startedAt: 0).isRestless)
    }

    @Test func theOperatorsTimesCount() {
        let times = DrainTimes(
            moving: SessionSettings(drainIdle: .milliseconds(200), drainBusyAfter: .seconds(5)))
        #expect(moment(10_200, since: 10_000, lastActivity: 10_000, startedAt: 0, times).hasRested)
        #expect(!moment(10_199, since: 10_000, lastActivity: 10_000, startedAt: 0, times).hasRested)
        #expect(moment(15_000, since: 10_000, lastActivity: 15_000, startedAt: 0, times).isRestless)
        #expect(!moment(14_999, since: 10_000, lastActivity: 14_999, startedAt: 0, times).isRestless)
    }

    /// A library user may set what the configuration file does not allow.
    @Test func aRequestThatIsOnItsWayAlwaysHasFiftyMilliseconds() {
        let times = DrainTimes(moving: SessionSettings(drainIdle: .zero))
        #expect(!moment(10_049, since: 10_000, lastActivity: 10_000, startedAt: 0, times).hasRested)
        #expect(moment(10_050, since: 10_000, lastActivity: 10_000, startedAt: 0, times).hasRested)
    }

    @Test func aProcessThatEndsHasLessTime() {
        let times = DrainTimes(
            departing: SessionSettings(drainIdle: .seconds(60), drainBusyAfter: .seconds(60)))
        #expect(moment(10_050, since: 10_000, lastActivity: 10_000, startedAt: 0, times).hasRested)
        #expect(!moment(10_049, since: 10_000, lastActivity: 10_000, startedAt: 0, times).hasRested)
        #expect(moment(12_000, since: 10_000, lastActivity: 12_000, startedAt: 0, times).isRestless)
        #expect(!moment(11_999, since: 10_000, lastActivity: 11_999, startedAt: 0, times).isRestless)
    }
}
