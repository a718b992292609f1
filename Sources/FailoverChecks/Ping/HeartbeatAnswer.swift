import FailoverCore

/// The answer to a `heartbeat_query`: one row of one column, the number of seconds that the replica is behind.
///
/// Less than 0 is 0: clocks differ. NULL, or no row, is no time at all. Anything else is a mistake in the query.
enum HeartbeatAnswer: Hashable {
    case heartbeat(ReplicationReading.Heartbeat)
    /// What is wrong with it.
    case mistake(String)

    /// More than three hundred years, as for a heartbeat of 1970.
    private static let most = 1e10

    init(_ rows: [[String?]]) {
        self =
            switch (rows.count, rows.first?.count) {
            case (0, _): .heartbeat(.unknown)
            case (1, 1): Self.reading(rows[0][0])
            case (1, let columns): .mistake("it answers with \(columns ?? 0) columns, not with one")
            case (let count, _): .mistake("it answers with \(count) rows, not with one")
            }
    }

    /// What it tells.
    ///
    /// - Throws: when the query is mistaken.
    func heartbeat(_ attempt: PingAttempt) throws(PingFailure) -> ReplicationReading.Heartbeat {
        switch self {
        case .heartbeat(let heartbeat): return heartbeat
        case .mistake(let words): throw attempt.failure(.heartbeat, "heartbeat_query: \(words)")
        }
    }

    private static func reading(_ value: String?) -> HeartbeatAnswer {
        guard let value else { return .heartbeat(.unknown) }
        guard value.wholeMatch(of: /[-+]?([0-9]+\.?|[0-9]*\.[0-9]+)([eE][-+]?[0-9]{1,3})?/) != nil,
            let seconds = Double(value.hasSuffix(".") ? value + "0" : value)
        else { return .mistake("it answers `\(value)`, which is no number of seconds") }
        return .heartbeat(.behind(.milliseconds(Int64(min(max(0, seconds), most) * 1000))))
    }
}
