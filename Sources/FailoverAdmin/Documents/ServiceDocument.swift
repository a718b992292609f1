package import FailoverCore
import FailoverSystem

/// One service of ``StatusDocument``.
package struct ServiceDocument: Hashable, Decodable, Sendable {
    package struct Ping: Hashable, Decodable, Sendable {
        package var time: String
        package var succeeded: Bool
        package var durationMs: Double
        package var reason: String?
        package var detail: String?

        init(_ record: PingHistory.Record) {
            time = record.time.text
            succeeded = record.result.succeeded
            durationMs = record.result.duration.inMilliseconds
            reason = record.result.failure?.reason.description
            detail = record.result.failure?.detail
        }
    }

    package struct Streak: Hashable, Decodable, Sendable {
        package var succeeded: Bool
        package var count: Int
    }

    package let name: String
    package let type: String
    package let location: String
    package let state: String
    package let since: String
    package let suspect: Bool
    /// Whether the service is up and its server refuses the monitor.
    package let degraded: Bool
    /// Why the service is down or degraded.
    package var reason: String?
    package var detail: String?
    package var lastPing: Ping?
    package let streak: Streak
    package let unconfirmed: Int
    package let fall: Int
    package let rise: Int
    /// Durations of the latest pings, oldest first; `null` for a failed ping.
    package let pingDurationsMs: [Double?]

    package init(_ report: ServiceReport, type: String, location: String) {
        name = report.name
        self.type = type
        self.location = location
        state = report.status.isUp ? "up" : "down"
        since = report.since.text
        suspect = report.status.isUp && report.status.isSuspect
        degraded = report.status.isDegraded
        var failure = report.status.standing.refusal
        if case .down(let outage, _) = report.status.verdict { failure = outage }
        reason = failure?.reason.description
        detail = failure?.detail
        lastPing = report.history.latest.map(Ping.init)
        streak = Streak(
            succeeded: report.history.latest?.result.succeeded ?? true, count: report.history.streak)
        unconfirmed = report.status.unconfirmed
        fall = report.settings.fall
        rise = report.settings.rise
        pingDurationsMs = report.history.records.map { record in
            record.result.succeeded ? record.result.duration.inMilliseconds : nil
        }
    }
}

extension ServiceDocument: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("name", name)
            json.field("type", type)
            json.field("location", location)
            json.field("state", state)
            json.field("since", since)
            json.field("suspect", suspect)
            json.field("degraded", degraded)
            json.field("reason", reason)
            json.field("detail", detail)
            json.field("last_ping", lastPing)
            json.field("streak", streak)
            json.field("unconfirmed", unconfirmed)
            json.field("fall", fall)
            json.field("rise", rise)
            json.field("ping_durations_ms", pingDurationsMs)
        }
    }
}

extension ServiceDocument.Ping: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("time", time)
            json.field("succeeded", succeeded)
            json.field("duration_ms", durationMs)
            json.field("reason", reason)
            json.field("detail", detail)
        }
    }
}

extension ServiceDocument.Streak: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("succeeded", succeeded)
            json.field("count", count)
        }
    }
}

extension Duration {
    /// Milliseconds, to a thousandth.
    fileprivate var inMilliseconds: Double { (self / .microseconds(1)).rounded() / 1000 }
}
