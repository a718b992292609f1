import FailoverCore

/// What a PostgreSQL session has beyond its login, as its server tells it.
struct PostgresState: Equatable {
    /// The settings made in the session, by name, as pg_settings shows them.
    var settings: [String: String] = [:]
    /// Why the session cannot move to another server; `nil` if it can.
    var pinned: PinnedReason?

    /// The statement that asks a server for the state. Each row has a kind, a name and a value.
    static let question = """
        SELECT 'setting', name, setting FROM pg_catalog.pg_settings WHERE source = 'session' \
        UNION ALL SELECT 'role', '', pg_catalog.current_setting('role') \
        UNION ALL SELECT 'user', '', session_user::pg_catalog.text \
        UNION ALL SELECT 'prepared_statements', '', '' WHERE EXISTS (SELECT FROM pg_catalog.pg_prepared_statements) \
        UNION ALL SELECT 'cursors', '', '' WHERE EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE is_holdable) \
        UNION ALL SELECT 'listens', '', '' WHERE EXISTS (SELECT pg_catalog.pg_listening_channels()) \
        UNION ALL SELECT 'advisory_locks', '', '' WHERE EXISTS (SELECT FROM pg_catalog.pg_locks \
        WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()) \
        UNION ALL SELECT 'temporary_tables', '', '' WHERE pg_catalog.pg_my_temp_schema() <> 0
        """

    /// Takes a row of the answer.
    ///
    /// - Parameters:
    ///   - row: kind, name and value.
    ///   - user: the user of the login.
    /// - Returns: false if it is no row of this answer.
    mutating func take(_ row: [String], user: String) -> Bool {
        guard row.count == 3 else { return false }
        switch row[0] {
        case "setting": settings[row[1]] = row[2]
        case "role": if row[2] != "none" { pinned = .role }
        case "user": if row[2] != user { pinned = .role }
        default:
            guard let reason = PinnedReason(rawValue: row[0]) else { return false }
            pinned = reason
        }
        return true
    }

    /// The statement that gives another session these settings; `nil` if there are none.
    ///
    /// Standard_conforming_strings may be one of them, so backslashes are written for either value.
    var restoring: String? {
        guard !settings.isEmpty else { return nil }
        let calls = settings.sorted { $0.key < $1.key }.map { name, value in
            "pg_catalog.set_config(\(Self.literal(name)), \(Self.literal(value)), false)"
        }
        return "SELECT \(calls.joined(separator: ", "))"
    }

    private static func literal(_ text: String) -> String {
        let quoted = text.replacing("'", with: "''")
        return text.contains("\\") ? "E'\(quoted.replacing("\\", with: "\\\\"))'" : "'\(quoted)'"
    }
}
