import FailoverCore

/// What a PostgreSQL replica says of its replication.
///
/// Its WAL receiver knows how far the primary's log is, and recovery how far it is applied; when both are the same, the
/// replica has all that there is, however long ago that was written. While they differ, the replica is behind by no more
/// than the age of the last transaction that it has replayed, which an idle primary makes look long; the positions of
/// earlier pings say it better. Without a receiver it is cut off. (PostgreSQL manual, "Recovery Information Functions",
/// "pg_stat_wal_receiver".)
enum PostgresReplication {
    static func question(user: String) -> PostgresQuestion {
        PostgresQuestion(
            """
            SELECT pg_catalog.pg_is_in_recovery(), r.pid IS NOT NULL, r.status, \
            CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() END, \
            pg_catalog.pg_wal_lsn_diff(GREATEST(pg_catalog.pg_last_wal_receive_lsn(), r.latest_end_lsn), '0/0'), \
            pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0'), \
            EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) \
            FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_stat_wal_receiver r ON true
            """, called: "the question for replication", grant: grant(to: user))
    }

    /// What lets a user see the receiver's state.
    static func grant(to user: String) -> String { "GRANT pg_read_all_stats TO \(user.asPostgresName)" }

    /// What the answer says.
    enum Answer: Hashable {
        case reading(ReplicationReading)
        /// A primary, which has no lag.
        case notReplicating
        /// There is a receiver, and its state is hidden from the user.
        case hidden
        case nonsense
    }

    static func answer(in rows: [[String?]]) -> Answer {
        guard rows.count == 1, rows[0].count == 7 else { return .nonsense }
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
        reading.behind = row[6].flatMap(Double.init).flatMap { seconds in
            // Clocks differ.
            seconds < 1e9 ? .milliseconds(Int64(max(0, seconds) * 1000)) : nil
        }
        reading.positions = .init(known: isStreaming ? row[4].flatMap { UInt64($0) } : nil, applied: applied)
        return .reading(reading)
    }
}

extension String {
    /// The name of a role as it stands in a statement.
    var asPostgresName: String {
        "\"\(split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }
}
