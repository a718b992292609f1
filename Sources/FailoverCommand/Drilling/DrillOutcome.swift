import FailoverAdmin
package import FailoverConfiguration
import FailoverCore
import FailoverProxy

/// The result of a drill, and whether it meets the expectations.
package struct DrillOutcome: Sendable {
    package let watch: DrillWatch
    package let duration: Duration
    package let expectation: DrillExpectation
    /// `nil` without probes.
    package var probes: ProbeSummary?
    /// Why there were no probes.
    package var whyNoProbes: String?
    /// The server's message about the end of the drill.
    package var ending: String?
    /// What ended the watch early: a signal or an error.
    package var breakOff: String?
    /// Why sessions are not back.
    package var whyNotBack: String?

    package init(watch: DrillWatch, duration: Duration, expectation: DrillExpectation) {
        self.watch = watch
        self.duration = duration
        self.expectation = expectation
    }

    package var hasPassed: Bool { problems.isEmpty }

    /// The reasons why the drill has not passed, one line each.
    package var problems: [String] {
        var problems: [String] = []
        if let breakOff { problems.append(breakOff) }
        if breakOff == nil, let over = watch.over, over < duration {
            problems.append("the drill ended early, after \(over.inWords)")
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
        let message = "\(Self.count(watch.notBack, "session is", "sessions are")) not back on \(watch.alias)"
        return [message + (whyNotBack.map { ": \($0)" } ?? "")]
    }

    /// `1 session`, `2 sessions`.
    package static func count(_ count: Int, _ one: String, _ many: String) -> String {
        "\(count) \(count == 1 ? one : many)"
    }
}

extension [SessionDocument] {
    /// Why sessions of a route are on aliases other than these: how many cannot be read, are busy, or are about to
    /// move. `nil` if there are no such sessions; they may have come back in the meantime.
    package func reasonsToStay(elsewhereThan home: Set<String>) -> String? {
        let elsewhere = filter { session in session.alias.map { !home.contains($0) } == true }
        let kinds: [(message: String, count: Int)] = [
            ("encrypted (not known to be outside a transaction)", elsewhere.count { $0.boundary.isReached == nil }),
            ("in a transaction or with other open state", elsewhere.count { $0.boundary.isReached == false }),
            ("about to move", elsewhere.count { $0.boundary.isReached == true }),
        ]
        let reasons = kinds.filter { $0.count > 0 }.map { "\($0.count) \($0.message)" }
        return reasons.isEmpty ? nil : reasons.joined(separator: ", ")
    }
}

/// What to expect of a route's sessions in a drill, according to its configuration.
package struct DrillExpectation: Sendable {
    /// Whether the sessions are closed at the beginning: `on_outage: close`.
    package let leave: Bool
    /// Whether the sessions come back after the end: every `on_recovery` except `keep`.
    package let comeBack: Bool

    /// - Parameter name: the route's name. An unknown route has the default settings.
    package init(route name: String, of configuration: Configuration) {
        var session = SessionSettings()
        if case .database(let route) = configuration.service(named: name)?.kind { session = route.session }
        leave = session.onOutage == .close
        comeBack = session.onRecovery != .keep
    }
}
