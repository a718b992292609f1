import FailoverCore

/// The answer to a `heartbeat_query`: one row with one column, the replica's lag in seconds.
///
/// A negative value counts as 0, because clocks differ. NULL, or no row, means that there is no heartbeat. Anything
/// else is a mistake in the query.
enum HeartbeatAnswer: Hashable {
    case heartbeat(ReplicationReading.Heartbeat)
    /// A description of the mistake.
    case mistake(String)

    /// The maximum in seconds, more than three hundred years. A heartbeat from 1970 is within it.
    private static let most = 1e10

    init(_ rows: [[String?]]) {
        self =
            switch (rows.count, rows.first?.count) {
            case (0, _): .heartbeat(.unknown)
            case (1, 1): Self.reading(rows[0][0])
            case (1, let columns): .mistake("the answer has \(columns ?? 0) columns instead of one")
            case (let count, _): .mistake("the answer has \(count) rows instead of one")
            }
    }

    /// The heartbeat in the answer.
    ///
    /// - Throws: `.heartbeat` if the query is wrong.
    func heartbeat(_ attempt: PingAttempt) throws(PingFailure) -> ReplicationReading.Heartbeat {
        switch self {
        case .heartbeat(let heartbeat): return heartbeat
        case .mistake(let message): throw attempt.failure(.heartbeat, "heartbeat_query: \(message)")
        }
    }

    private static func reading(_ value: String?) -> HeartbeatAnswer {
        guard let value else { return .heartbeat(.unknown) }
        guard value.wholeMatch(of: /[-+]?([0-9]+\.?|[0-9]*\.[0-9]+)([eE][-+]?[0-9]{1,3})?/) != nil,
            let seconds = Double(value.hasSuffix(".") ? value + "0" : value)
        else { return .mistake("the answer `\(value)` is not a number of seconds") }
        return .heartbeat(.behind(.milliseconds(Int64(min(max(0, seconds), most) * 1000))))
    }
}

extension ReplicationPolicy {
    /// The replication status of a replica, without secrets or control characters.
    ///
    /// - Throws: `.replicationStopped` if the replica does not follow its primary and this counts as an outage.
    func accepted(_ reading: ReplicationReading, _ attempt: PingAttempt) throws(PingFailure) -> ReplicationReading {
        var reading = reading
        // This is the text of a server's error.
        reading.stopped = reading.stopped?.asOneLine(hiding: attempt.secret)
        if let message = reading.stopped, whenStopped == .down { throw attempt.failure(.replicationStopped, message) }
        return reading
    }
}
