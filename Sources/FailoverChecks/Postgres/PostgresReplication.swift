import FailoverCore

/// What a PostgreSQL replica says of its replication.
///
/// Its WAL receiver knows how far the primary's log is, and recovery how far it is applied; when both are the same, the
/// replica has all that there is, however long ago that was written. While they differ, the replica is behind by no more
/// than the age of the last transaction that it has replayed, which an idle primary makes look long; the positions of
/// earlier pings say it better. That age is the replica's clock less the primary's; where the receiver's messages show
/// that the replica's is behind, it is put right. Without a receiver it is cut off. (PostgreSQL manual, "Recovery Information Functions",
/// "pg_stat_wal_receiver".)
enum PostgresReplication {
    static func question(user: String) -> PostgresQuestion {
        PostgresQuestion(
            """
            SELECT pg_catalog.pg_is_in_recovery(), r.pid IS NOT NULL, r.status, \
            CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() END, \
            pg_catalog.pg_wal_lsn_diff(GREATEST(pg_catalog.pg_last_wal_receive_lsn(), r.latest_end_lsn), '0/0'), \
            pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0'), \
            EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()), \
            EXTRACT(EPOCH FROM r.last_msg_send_time - r.last_msg_receipt_time) \
            FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_stat_wal_receiver r ON true
            """, called: "the question for replication",
            grants: functions.map { .executing($0, by: user) } + [seeingTheReceiver(user)])
    }

    /// How far a primary's log is on its disk, which is as far as it sends; NULL of a replica.
    static func positionQuestion(user: String) -> PostgresQuestion {
        PostgresQuestion(
            """
            SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN \
            pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(), '0/0') END
            """, called: "the question for the log's end",
            grants: (functions + ["pg_current_wal_flush_lsn()"]).map { .executing($0, by: user) })
    }

    /// What lets a user see the receiver's state.
    static func seeingTheReceiver(_ user: String) -> PostgresGrant {
        .membership(in: "pg_read_all_stats", for: user)
    }

    /// Everybody may call them, unless an administrator has revoked that.
    private static let functions = [
        "pg_is_in_recovery()", "pg_is_wal_replay_paused()", "pg_wal_lsn_diff(pg_lsn, pg_lsn)",
        "pg_last_wal_receive_lsn()", "pg_last_wal_replay_lsn()", "pg_last_xact_replay_timestamp()",
    ]

    /// What the answer says.
    enum Answer: Hashable {
        case reading(ReplicationReading)
        /// A primary, which has no lag.
        case notReplicating
        /// There is a receiver, and its state is hidden from the user.
        case hidden
        case nonsense

        /// The role that it shows; `nil` of nonsense.
        var role: DatabaseServer.Role? {
            switch self {
            case .reading, .hidden: .replica
            case .notReplicating: .primary
            case .nonsense: nil
            }
        }
    }

    static func answer(in rows: [[String?]]) -> Answer {
        guard rows.count == 1, rows[0].count == 8 else { return .nonsense }
        let row = rows[0]
        guard row[0] == "t" else { return row[0] == "f" ? .notReplicating : .nonsense }
        // Before the first record there is none applied.
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
        // What was received before it was sent shows the least by which the clocks differ. The other way round it may
        // have been long on its way.
        reading.clockBehind = duration(row[7]).map { max(.zero, $0) }
        reading.positions = .init(known: isStreaming ? row[4].flatMap { UInt64($0) } : nil, applied: applied)
        return .reading(reading)
    }

    private static func duration(_ seconds: String?) -> Duration? {
        guard let seconds = seconds.flatMap(Double.init), abs(seconds) < 1e9 else { return nil }
        return .milliseconds(Int64(seconds * 1000))
    }
}
