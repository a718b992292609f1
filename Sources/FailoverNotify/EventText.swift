package import FailoverCore
import FailoverSystem
import FoundationEssentials

/// An event as text for the operator.
package struct EventMessage {
    private let event: FailoverEvent

    package init(_ event: FailoverEvent) { self.event = event }

    /// The event on one line, for example `DOWN: slave on web1 (refused), default serves`.
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
                "DEGRADED, the server refuses the monitor: \(place) (\(failure.reason))\(serves)"
            case .degraded(let failure, let lasting, _):
                "STILL DEGRADED for \(lasting.inWords): \(place) (\(failure.reason))\(serves)"
            case .healthy(let duration): "HEALTHY again: \(place) after \(duration.inWords)"
            }
        return (event.isTest ? "TEST, nothing happened: \(text)" : text).withoutControls
    }

    /// Everything that is known about the event, one fact per line.
    package var body: String {
        var lines = [headline, ""]
        if event.isTest { lines += ["This is a test notification. No service is affected.", ""] }
        if let failure = event.failure { lines += ["Reason:   \(failure.reason)", "Detail:   \(failure.detail)"] }
        if let staleness = event.staleness { lines.append("Detail:   \(staleness)") }
        lines.append("Since:    \(event.since.text)")
        if event.outageDuration > .zero { lines.append("Duration: \(event.outageDuration.inWords)") }
        if let alias = event.currentAlias { lines.append("Serving:  \(alias)") }
        lines += ["Host:     \(event.host), process \(event.processID)", "Time:     \(event.time.text)"]
        return lines.map(\.withoutControls).joined(separator: "\n") + "\n"
    }
}

/// An event as JSON, for webhooks and commands.
package struct EventJSON: Encodable {
    private let event: String
    private let service: String
    private let message: String
    private let reason: String?
    private let detail: String?
    private let time: String
    private let since: String
    private let durationSeconds: Double
    private let currentAlias: String?
    private let host: String
    private let processID: Int32
    private let isTest: Bool

    package init(_ event: FailoverEvent) {
        self.event = event.kind.name.rawValue
        service = event.service
        message = event.message
        reason = event.failure?.reason.description
        detail = event.detail
        time = event.time.text
        since = event.since.text
        let (seconds, attoseconds) = event.outageDuration.components
        durationSeconds = Double(seconds) + Double(attoseconds / 1_000_000_000_000_000) / 1000
        currentAlias = event.currentAlias
        host = event.host
        processID = event.processID
        isTest = event.isTest
    }

    private enum CodingKeys: String, CodingKey {
        case event, service, message, reason, detail, time, since, host
        case durationSeconds = "duration_seconds"
        case currentAlias = "current_alias"
        case processID = "process_id"
        case isTest = "test"
    }

    package func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CodingKeys.self)
        try object.encode(event, forKey: .event)
        try object.encode(service, forKey: .service)
        try object.encode(message, forKey: .message)
        // Every event has all keys, so that a receiver does not need to check whether a key exists.
        try object.encode(reason, forKey: .reason)
        try object.encode(detail, forKey: .detail)
        try object.encode(time, forKey: .time)
        try object.encode(since, forKey: .since)
        try object.encode(durationSeconds, forKey: .durationSeconds)
        try object.encode(currentAlias, forKey: .currentAlias)
        try object.encode(host, forKey: .host)
        try object.encode(processID, forKey: .processID)
        try object.encode(isTest, forKey: .isTest)
    }

    /// The JSON object on one line, with sorted keys.
    package var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Text and finite numbers can always be encoded.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
