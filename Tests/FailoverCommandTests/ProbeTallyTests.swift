import FailoverCore
import Testing

@testable import FailoverCommand

@Suite("What the logins of a drill came to")
struct ProbeTallyTests {
    private let refused = PingFailure(.refused, "nobody listens")

    /// Probes that begin and end at these times in milliseconds. Those without an alias fail.
    private func summary(
        _ probes: [(began: Int, ended: Int, alias: String?)], changes: [ClosedRange<Duration>] = []
    ) -> ProbeSummary {
        var tally = ProbeTally()
        for (began, ended, alias) in probes {
            tally.add(
                RouteProbe.Answer(alias: alias, failure: alias == nil ? refused : nil),
                began: .milliseconds(began), ended: .milliseconds(ended))
        }
        return tally.summary(changes: changes)
    }

    @Test func waitsAreThoseOfLoginsThatSucceeded() {
        let summary = summary([(0, 10, "a"), (100, 130, "b"), (200, 220, "b"), (300, 9000, nil)])
        #expect(summary.count == 4)
        #expect(summary.median == .milliseconds(20))
        #expect(summary.longest == .milliseconds(30))
        #expect(summary.aliases == ["a": 1, "b": 2])
        #expect(summary.errors == ["refused: nobody listens": 1])
    }

    @Test(arguments: [
        // The longest gap is between two successes, after the last one, and before the first one.
        ([(0, 10, "a"), (100, 700, nil), (700, 810, "a")], 800), ([(0, 10, "a"), (100, 700, nil)], 690),
        ([(5, 900, nil), (900, 950, "a")], 945), ([(0, 400, nil)], 400),
    ])
    func theLongestTimeWithoutALogin(probes: [(Int, Int, String?)], milliseconds: Int) {
        #expect(summary(probes.map { ($0, $1, $2) }).longestGap == .milliseconds(milliseconds))
    }

    @Test func whatWasUnderWayWhenSessionsWereClosedWasCut() {
        let change = Duration.milliseconds(100)...(.milliseconds(150))
        for (began, ended, isCut) in [
            (0, 99, false), (0, 100, true), (120, 130, true), (150, 900, true), (151, 160, false),
        ] {
            let summary = summary([(began, ended, nil)], changes: [change])
            #expect(summary.cut == (isCut ? 1 : 0), "\(began) to \(ended)")
            #expect(summary.failed == (isCut ? 0 : 1), "\(began) to \(ended)")
        }
    }

    @Test func nothingIsMadeUpOfNothing() {
        #expect(ProbeTally().summary(changes: []) == ProbeSummary(count: 0))
        #expect(ProbeSummary(count: 0).median == nil)
    }
}
