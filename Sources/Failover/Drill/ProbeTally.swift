import FailoverCore

/// What the logins of a drill came to. Times since it began.
package struct ProbeTally: Sendable {
    private struct Probe {
        let began: Duration
        let ended: Duration
        let answer: RouteProbe.Answer
    }

    private var probes: [Probe] = []

    package init() {}

    package mutating func add(_ answer: RouteProbe.Answer, began: Duration, ended: Duration) {
        probes.append(Probe(began: began, ended: ended, answer: answer))
    }

    /// - Parameter changes: when sessions were closed. A probe that was under way then has not failed: it was cut, as
    ///   clients' sessions were.
    package func summary(changes: [ClosedRange<Duration>]) -> ProbeSummary {
        var summary = ProbeSummary(count: probes.count)
        var waits: [Duration] = []
        var lastSuccess = probes.first?.began ?? .zero
        for probe in probes {
            guard let failure = probe.answer.failure else {
                waits.append(probe.ended - probe.began)
                summary.longestGap = max(summary.longestGap ?? .zero, probe.ended - lastSuccess)
                lastSuccess = probe.ended
                summary.aliases[probe.answer.alias ?? "unknown", default: 0] += 1
                continue
            }
            if changes.contains(where: { $0.overlaps(probe.began...probe.ended) }) {
                summary.cut += 1
            } else {
                summary.errors["\(failure)", default: 0] += 1
            }
        }
        if let last = probes.last, last.answer.failure != nil {
            summary.longestGap = max(summary.longestGap ?? .zero, last.ended - lastSuccess)
        }
        waits.sort()
        summary.longest = waits.last
        summary.median = waits.isEmpty ? nil : waits[waits.count / 2]
        return summary
    }
}

/// ``ProbeTally`` in figures.
package struct ProbeSummary: Hashable, Sendable {
    package var count: Int
    /// Those that were under way when sessions were closed, and closed with them.
    package var cut = 0
    /// The words of those that failed otherwise, and how many had them.
    package var errors: [String: Int] = [:]
    /// Those that succeeded, by the alias that answered.
    package var aliases: [String: Int] = [:]
    /// Of those that succeeded.
    package var median: Duration?
    package var longest: Duration?
    /// Between two successes, or before the first or after the last.
    package var longestGap: Duration?

    package var failed: Int { errors.values.reduce(0, +) }

    package init(count: Int) { self.count = count }
}
