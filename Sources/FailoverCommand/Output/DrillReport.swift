import Failover
import FailoverAdmin
import FailoverCore

/// The result of a drill, for people and for programs.
struct DrillReport {
    private let outcome: DrillOutcome
    private var watch: DrillWatch { outcome.watch }

    init(_ outcome: DrillOutcome) { self.outcome = outcome }

    // MARK: Text

    /// A table of what clients saw, one line for each figure, and the result below it.
    func text(colour: Bool) -> String {
        var table = TextTable([
            .init(heading: "DRILL"),
            .init(heading: "\(watch.alias) down on \(watch.before.name) for \(outcome.duration.inWords)"),
        ])
        for row in rows { table.add(row) }
        var lines = [outcome.ending].compactMap(\.self) + table.lines()
        lines += outcome.problems.map { "failed: \($0)" }
        if outcome.hasPassed { lines.append("passed") }
        guard colour else { return lines.joined(separator: "\n") }
        let verdicts = lines.count - max(1, outcome.problems.count)
        return lines.enumerated().map { index, line in
            let code = outcome.hasPassed ? Terminal.green : Terminal.red
            return index < verdicts ? line : "\u{1b}[\(code)m\(line)\u{1b}[0m"
        }.joined(separator: "\n")
    }

    private var rows: [[String]] {
        let before = watch.openBefore
        var rows = [
            ["open before", "\(Self.sessions(before.all)), \(before.onAlias) on \(watch.alias)"],
            ["moved away", movedAway],
            ["new sessions", watch.newSessions.map { "\($0.alias) \($0.count)" }.joined(separator: ", ")],
            ["refused", "\(watch.refused)"],
            ["retried", "\(watch.retried)"],
        ]
        if let probes = outcome.probes {
            rows.append([
                "probes", "\(probes.count) logins, \(probes.failed) failed, \(probes.cut) cut off with other sessions",
            ])
            rows.append(["answered by", Self.counts(probes.aliases) { "\($0) \($1)" }])
            rows.append(["waits", waits(probes)])
            for (message, count) in probes.errors.sorted(by: { $0.key < $1.key }) {
                rows.append(["error", "\(message) (\(count) times)"])
            }
        } else {
            rows.append(["probes", "none: \(outcome.whyNoProbes ?? "")"])
        }
        rows.append(["back", back])
        return rows
    }

    private var movedAway: String {
        if let left = watch.left { return "no session was left on \(watch.alias) within \(left.inWords)" }
        let policy = outcome.expectation.leave ? "" : " (on_outage: keep)"
        return "\(Self.sessions(watch.stayed)) stayed on \(watch.alias)\(policy)"
    }

    private func waits(_ probes: ProbeSummary) -> String {
        [
            probes.median.map { "median \($0.inWords)" }, probes.longest.map { "longest \($0.inWords)" },
            probes.longestGap.map { "at most \($0.inWords) without a login" },
        ].compactMap(\.self).joined(separator: ", ")
    }

    private var back: String {
        guard watch.over != nil else { return "not seen" }
        guard watch.expectsReturn else { return "\(watch.alias) did not serve before" }
        let first = watch.firstBack.map { "a new session within \($0.inWords)" } ?? "no new session seen"
        if let allBack = watch.allBack { return "\(first), all sessions within \(allBack.inWords)" }
        let why = outcome.whyNotBack.map { ": \($0)" } ?? ""
        return "\(first), \(Self.sessions(watch.notBack)) still elsewhere\(why)"
    }

    private static func sessions(_ count: Int) -> String { DrillOutcome.count(count, "session", "sessions") }

    private static func counts(_ counts: [String: Int], _ text: (String, Int) -> String) -> String {
        counts.sorted { $0.key < $1.key }.map { text($0.key, $0.value) }.joined(separator: ", ")
    }

    // MARK: JSON

    /// An object. Every key is always present. Times are in milliseconds.
    func json() throws -> String { try DrillDocument(outcome).jsonText() }
}
