package import FailoverCore
import FailoverSystem

/// An event in words for a tired person.
package struct EventWords {
    private let event: FailoverEvent

    package init(_ event: FailoverEvent) { self.event = event }

    /// One line: `DOWN: slave on web1 (refused), default serves`.
    package var headline: String {
        let place = "\(event.service) on \(event.host)"
        let serves = event.currentAlias.map { ", \($0) serves" } ?? ""
        let text =
            switch event.kind {
            case .outage(let failure): "DOWN: \(place) (\(failure.reason))\(serves)"
            case .reminder(let failure, let lasting):
                "STILL DOWN for \(lasting.inWords): \(place) (\(failure.reason))\(serves)"
            case .recovery(let duration): "UP again: \(place) after \(duration.inWords)"
            case .stale(let staleness): "STALE: \(place) (\(staleness))\(serves)"
            case .fresh(let duration): "FRESH again: \(place) after \(duration.inWords)"
            case .degraded(let failure, .zero, _):
                "DEGRADED, refuses the monitor: \(place) (\(failure.reason))\(serves)"
            case .degraded(let failure, let lasting, _):
                "STILL DEGRADED for \(lasting.inWords): \(place) (\(failure.reason))\(serves)"
            case .healthy(let duration): "HEALTHY again: \(place) after \(duration.inWords)"
            }
        return LogText.oneLine(event.isTest ? "TEST, nothing happened: \(text)" : text)
    }

    /// All that is known, a line each.
    package var body: String {
        var lines = [headline, ""]
        if event.isTest { lines += ["This is a test of the notification. No service is concerned.", ""] }
        if let failure = event.failure { lines += ["Reason:   \(failure.reason)", "Detail:   \(failure.detail)"] }
        if let staleness = event.staleness { lines.append("Detail:   \(staleness)") }
        lines.append("Since:    \(event.since.text)")
        if event.outageDuration > .zero { lines.append("Duration: \(event.outageDuration.inWords)") }
        if let alias = event.currentAlias { lines.append("Serving:  \(alias)") }
        lines += ["Host:     \(event.host), process \(event.processID)", "Time:     \(event.time.text)"]
        return lines.map(LogText.oneLine).joined(separator: "\n") + "\n"
    }
}
