package import FailoverCore
import FailoverSystem

/// One service of ``StatusDocument``.
package struct ServiceDocument: Encodable, Sendable {
    struct Ping: Encodable, Sendable {
        var time: String
        var succeeded: Bool
        var durationMs: Double
        @Nullable var reason: String?
        @Nullable var detail: String?

        init(_ record: PingHistory.Record) {
            time = record.time.text
            succeeded = record.result.succeeded
            durationMs = record.result.duration.inMilliseconds
            reason = record.result.failure?.reason.description
            detail = record.result.failure?.detail
        }
    }

    struct Streak: Encodable, Sendable {
        var succeeded: Bool
        var count: Int
    }

    package let name: String
    let type: String
    let location: String
    let state: String
    let since: String
    let suspect: Bool
    @Nullable var reason: String?
    @Nullable var detail: String?
    @Nullable var lastPing: Ping?
    let streak: Streak
    let unconfirmed: Int
    let fall: Int
    let rise: Int
    /// Of the latest pings, oldest first; `null` for one that failed.
    let pingDurationsMs: [Nullable<Double>]

    package init(_ report: ServiceReport, type: String, location: String) {
        name = report.name
        self.type = type
        self.location = location
        state = report.status.isUp ? "up" : "down"
        since = report.since.text
        suspect = report.status.isSuspect
        if case .down(let failure, _) = report.status.verdict {
            reason = failure.reason.description
            detail = failure.detail
        }
        lastPing = report.history.latest.map(Ping.init)
        streak = Streak(
            succeeded: report.history.latest?.result.succeeded ?? true, count: report.history.streak)
        unconfirmed = report.status.unconfirmed
        fall = report.settings.fall
        rise = report.settings.rise
        pingDurationsMs = report.history.records.map { record in
            Nullable(wrappedValue: record.result.succeeded ? record.result.duration.inMilliseconds : nil)
        }
    }
}

extension Duration {
    /// Milliseconds, to a thousandth.
    fileprivate var inMilliseconds: Double { (self / .microseconds(1)).rounded() / 1000 }
}
