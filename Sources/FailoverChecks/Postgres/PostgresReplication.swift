package import FailoverCore

/// The replication status of a PostgreSQL replica.
///
/// The WAL receiver knows the primary's WAL position, and recovery knows the applied one. If both are equal, the
/// replica is up to date, even if its last transaction is old. If they differ, the lag is at most the age of the last
/// replayed transaction. After an idle period of the primary this age is too large; then the positions of earlier pings
/// are more exact. The age is the difference of two clocks. If the messages to the receiver show that the replica's
/// clock is behind, the age is corrected. Without a receiver, the replica is cut off. See "Recovery Information
/// Functions" and "pg_stat_wal_receiver" in the PostgreSQL manual.
package enum PostgresReplication {
    package static func question(user: String) -> PostgresQuestion {
        PostgresQuestion(
            """
            SELECT pg_catalog.pg_is_in_recovery(), r.pid IS NOT NULL, r.status, \
            CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() END, \
            pg_catalog.pg_wal_lsn_diff(GREATEST(pg_catalog.pg_last_wal_receive_lsn(), r.latest_end_lsn), '0/0'), \
            pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0'), \
            EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()), \
            EXTRACT(EPOCH FROM r.last_msg_send_time - r.last_msg_receipt_time) \
            FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_stat_wal_receiver r ON true
            """, called: "the replication query",
            grants: functions.map { .executing($0, by: user) } + [seeingTheReceiver(user)])
    }

    /// Queries the WAL position of a primary on disk, up to which it sends WAL; NULL for a replica.
    static func positionQuestion(user: String) -> PostgresQuestion {
        PostgresQuestion(
            """
            SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN \
            pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(), '0/0') END
            """, called: "the WAL position query",
            grants: (functions + ["pg_current_wal_flush_lsn()"]).map { .executing($0, by: user) })
    }

    /// The grant that lets a user see the receiver's state.
    package static func seeingTheReceiver(_ user: String) -> PostgresGrant {
        .membership(in: "pg_read_all_stats", for: user)
    }

    /// Any user may call these functions, unless an administrator has revoked that.
    private static let functions = [
        "pg_is_in_recovery()", "pg_is_wal_replay_paused()", "pg_wal_lsn_diff(pg_lsn, pg_lsn)",
        "pg_last_wal_receive_lsn()", "pg_last_wal_replay_lsn()", "pg_last_xact_replay_timestamp()",
    ]

    /// The meaning of the answer.
    package enum Answer: Hashable {
        case reading(ReplicationReading)
        /// The server is a primary, which has no lag.
        case notReplicating
        /// A receiver is running, but its state is hidden from the user.
        case hidden
        case nonsense

        /// The role according to the answer; `nil` if the answer is invalid.
        var role: DatabaseServer.Role? {
            switch self {
            case .reading, .hidden: .replica
            case .notReplicating: .primary
            case .nonsense: nil
            }
        }
    }

    package static func answer(in rows: [[String?]]) -> Answer {
        guard rows.count == 1, rows[0].count == 8 else { return .nonsense }
        let row = rows[0]
        guard row[0] == "t" else { return row[0] == "f" ? .notReplicating : .nonsense }
        // The value is NULL until the replica has applied its first WAL record.
        guard let applied = row[5].map({ UInt64($0) }) ?? 0 else { return .nonsense }
        let hasReceiver = row[1] == "t"
        if hasReceiver && row[2] == nil { return .hidden }
        let isStreaming = row[2] == "streaming"
        var reading = ReplicationReading()
        if !hasReceiver {
            reading.stopped = "the replica is cut off from its primary: no WAL receiver runs"
        } else if !isStreaming {
            reading.stopped = "the WAL receiver is \(row[2] ?? "stopped")"
        } else if row[3] == "t" {
            reading.stopped = "replay is paused"
        }
        reading.behind = duration(row[6])
        // If a message was received before it was sent, the replica's clock is behind by at least the difference.
        // Otherwise the message may have been delayed, and shows nothing.
        reading.clockBehind = duration(row[7]).map { max(.zero, $0) }
        reading.positions = .init(known: isStreaming ? row[4].flatMap { UInt64($0) } : nil, applied: applied)
        return .reading(reading)
    }

    private static func duration(_ seconds: String?) -> Duration? {
        guard let seconds = seconds.flatMap(Double.init), abs(seconds) < 1e9 else { return nil }
        return .milliseconds(Int64(seconds * 1000))
    }
}

/// The role of a PostgreSQL server: a replica is in recovery until it is promoted.
///
/// See "Recovery Control Functions" in the PostgreSQL manual. Any user may query it, unless an administrator has
/// revoked that.
enum PostgresRole {
    /// The query names the schema, so that a `search_path` cannot substitute another function.
    static func question(user: String) -> PostgresQuestion {
        PostgresQuestion(
            "SELECT pg_catalog.pg_is_in_recovery()", called: "the role query",
            grants: [.executing("pg_is_in_recovery()", by: user)])
    }

    /// The role in the answer; `nil` if the answer is invalid.
    static func answer(in rows: [[String?]]) -> DatabaseServer.Role? {
        guard rows.count == 1, rows[0].count == 1 else { return nil }
        return switch rows[0][0] {
        case "t": .replica
        case "f": .primary
        default: nil
        }
    }
}

/// A query of a ping to a PostgreSQL server.
package struct PostgresQuestion {
    let query: String
    /// The name for messages, for example `the ping query`.
    let name: String
    /// A prefix for server errors that do not show which query they are about, for example `heartbeat_query: `.
    let prefix: String
    /// The grants that allow the query; empty if they are unknown.
    private let grants: [PostgresGrant]

    /// - Parameter grants: the grants. One without a subject matches any error, so it must be the last.
    package init(_ query: String, called name: String, prefix: String = "", grants: [PostgresGrant] = []) {
        self.query = query
        self.name = name
        self.prefix = prefix
        self.grants = grants
    }

    /// The statement that grants access to the object in the error message; `nil` if it is unknown. The name of the
    /// object does not depend on the language of the message.
    func grant(helpingAgainst message: String) -> String? {
        (grants.first { $0.subject.map(message.contains) ?? true })?.statement
    }
}

/// A statement that allows a query.
package struct PostgresGrant {
    /// The object name in errors; `nil` matches any error.
    let subject: String?
    package let statement: String

    /// - Parameter function: the name of a function in `pg_catalog`, with its argument types.
    static func executing(_ function: String, by user: String) -> PostgresGrant {
        PostgresGrant(
            subject: function.split(separator: "(").first.map(String.init),
            statement: "GRANT EXECUTE ON FUNCTION pg_catalog.\(function) TO \(user.asPostgresName)")
    }

    /// The grant for a query of the operator, whose errors name the table.
    static func reading(by user: String) -> PostgresGrant {
        PostgresGrant(subject: nil, statement: "GRANT SELECT ON <table> TO \(user.asPostgresName)")
    }

    /// The grant of membership in one of the predefined roles.
    static func membership(in role: String, for user: String) -> PostgresGrant {
        PostgresGrant(subject: nil, statement: "GRANT \(role) TO \(user.asPostgresName)")
    }
}

extension String {
    /// The name of a role as a quoted identifier.
    var asPostgresName: String {
        "\"\(split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }
}
