import FailoverAdmin
import FailoverCore

/// What became of a drill, and whether that is as it should be.
package struct DrillOutcome: Sendable {
    package let watch: DrillWatch
    package let duration: Duration
    package let expectation: DrillExpectation
    /// `nil` when there were none.
    package var probes: ProbeSummary?
    /// Why there were none.
    package var whyNoProbes: String?
    /// What the server said of the end.
    package var ending: String?
    /// What ended the watching before its time: a signal, an error.
    package var breakOff: String?
    /// Why sessions are not back.
    package var whyNotBack: String?

    package init(watch: DrillWatch, duration: Duration, expectation: DrillExpectation) {
        self.watch = watch
        self.duration = duration
        self.expectation = expectation
    }

    package var hasPassed: Bool { problems.isEmpty }

    /// Each in a line.
    package var problems: [String] {
        var problems: [String] = []
        if let breakOff { problems.append(breakOff) }
        if breakOff == nil, let over = watch.over, over < duration {
            problems.append("it ended after \(over.inWords), before its time")
        }
        if watch.refused > 0 { problems.append("\(Self.count(watch.refused, "client was", "clients were")) refused") }
        if let failed = probes?.failed, failed > 0 {
            problems.append("\(Self.count(failed, "probe", "probes")) failed")
        }
        if expectation.leave, watch.stayed > 0 {
            problems.append("\(Self.count(watch.stayed, "session", "sessions")) stayed on \(watch.alias)")
        }
        if watch.over != nil { problems += problemsOfReturn }
        return problems
    }

    private var problemsOfReturn: [String] {
        let route = watch.latest
        if route.alias(watch.alias)?.state == "down" {
            return ["\(watch.alias) is down\(route.reason.map { ": \($0)" } ?? "")"]
        }
        guard watch.expectsReturn else { return [] }
        if !watch.isServing {
            return ["\(watch.alias) does not serve again\(route.reason.map { ": \($0)" } ?? "")"]
        }
        guard watch.notBack > 0, expectation.comeBack, breakOff == nil else { return [] }
        let words = "\(Self.count(watch.notBack, "session is", "sessions are")) not back on \(watch.alias)"
        return [words + (whyNotBack.map { ": \($0)" } ?? "")]
    }

    /// `1 session`, `2 sessions`.
    package static func count(_ count: Int, _ one: String, _ many: String) -> String {
        "\(count) \(count == 1 ? one : many)"
    }
}

extension [SessionDocument] {
    /// Why sessions of a route are on other aliases than these: how many can't be read, how many are in the middle of
    /// something. `nil` when none is: they may have come back before they were asked.
    package func reasonsToStay(elsewhereThan home: Set<String>) -> String? {
        let elsewhere = filter { session in session.alias.map { !home.contains($0) } == true }
        let kinds: [(words: String, count: Int)] = [
            ("encrypted, so that nobody sees where they could be closed", elsewhere.count { $0.atBoundary == nil }),
            ("in a transaction or with something open", elsewhere.count { $0.atBoundary == false }),
            ("about to move", elsewhere.count { $0.atBoundary == true }),
        ]
        let reasons = kinds.filter { $0.count > 0 }.map { "\($0.count) \($0.words)" }
        return reasons.isEmpty ? nil : reasons.joined(separator: ", ")
    }
}
