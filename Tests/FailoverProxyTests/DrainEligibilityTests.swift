import Testing

@testable import FailoverProxy

@Suite("When a session that must move may be ended")
struct DrainEligibilityTests {
    private func moment(_ now: UInt64, since: UInt64, lastActivity: UInt64, startedAt: UInt64) -> DrainEligibility {
        let millisecond: UInt64 = 1_000_000
        return DrainEligibility(
            now: now * millisecond, since: since * millisecond, lastActivity: lastActivity * millisecond,
            startedAt: startedAt * millisecond, grace: 2000 * millisecond)
    }

    @Test func oneThatHasSaidNothingForAMoment() {
        #expect(moment(10_050, since: 10_000, lastActivity: 10_000, startedAt: 0).hasRested)
        #expect(!moment(10_049, since: 10_000, lastActivity: 10_000, startedAt: 0).hasRested)
        #expect(moment(10_000, since: 10_000, lastActivity: 0, startedAt: 0).hasRested)
    }

    @Test func oneThatHasJustBegunIsAboutToBeUsed() {
        #expect(!moment(11_999, since: 10_500, lastActivity: 10_010, startedAt: 10_000).hasRested)
        #expect(moment(12_000, since: 10_500, lastActivity: 10_010, startedAt: 10_000).hasRested)
    }

    @Test func oneThatNeverRestsIsEndedAtAnyBoundaryAfterAWhile() {
        #expect(!moment(11_999, since: 10_000, lastActivity: 11_999, startedAt: 0).isRestless)
        #expect(moment(12_000, since: 10_000, lastActivity: 12_000, startedAt: 0).isRestless)
    }
}
