package import FailoverCore

/// The replication status of a MySQL or MariaDB replica. It has one row per source, with the states of a receiver
/// thread and an applier thread, and the lag in seconds. The lag is NULL while one of the threads is not running.
///
/// See "SHOW REPLICA STATUS" in the manuals of MySQL and MariaDB. Column names depend on the version.
package enum MySQLReplication {
    /// - Parameter channels: the server's answer to ``MySQLVersion/channelQuestion``.
    package static func reading(_ channels: [[String: String]]) -> ReplicationReading {
        let counting = counting(channels)
        let readings = counting.map(reading(ofChannel:))
        guard !readings.isEmpty else {
            // Members of a replication group report no lag.
            return channels.isEmpty
                ? ReplicationReading(stopped: "the replica follows no primary") : ReplicationReading()
        }
        let stopped = readings.compactMap(\.stopped)
        // If there are several sources, the largest lag counts.
        return stopped.isEmpty
            ? ReplicationReading(behind: readings.compactMap(\.behind).max())
            : ReplicationReading(stopped: stopped.joined(separator: "; "))
    }

    /// The channels that describe the replica's data. The channels of group replication are excluded, because they
    /// are idle in normal operation. Channels that were never started are excluded if there are others.
    package static func counting(_ channels: [[String: String]]) -> [[String: String]] {
        let ofGroup = ["group_replication_recovery", "group_replication_applier"]
        let own = channels.filter { !ofGroup.contains(name(of: $0)) }
        let started = own.filter { !wasNeverStarted($0) }
        return started.isEmpty ? own : started
    }

    /// Whether the channel has never connected to its source. MySQL remembers the source's UUID, and a relay log that
    /// was read has a position after its 4-byte header.
    private static func wasNeverStarted(_ row: [String: String]) -> Bool {
        func value(_ name: String) -> String? { row["Source_\(name)"] ?? row["Master_\(name)"] }
        func state(_ thread: String) -> String? { row["Replica_\(thread)_Running"] ?? row["Slave_\(thread)_Running"] }
        return state("IO") == "No" && state("SQL") == "No" && row["Last_IO_Error"] == "" && row["Last_SQL_Error"] == ""
            && value("Server_Id") == "0" && (value("UUID") ?? "").isEmpty && row["Relay_Log_Pos"] == "4"
    }

    private static func name(of row: [String: String]) -> String {
        row["Connection_name"] ?? row["Channel_Name"] ?? ""
    }

    private static func reading(ofChannel row: [String: String]) -> ReplicationReading {
        let name = name(of: row)
        let channel = name.isEmpty ? "" : "channel \(name): "
        let threads = [("IO", "Last_IO_Error"), ("SQL", "Last_SQL_Error")]
        let stopped = threads.compactMap { thread, error -> String? in
            let state = row["Replica_\(thread)_Running"] ?? row["Slave_\(thread)_Running"] ?? "No"
            guard state != "Yes" else { return nil }
            let message = row[error].flatMap { $0.isEmpty ? nil : ": \($0)" } ?? ""
            return "the \(thread) thread is \(state == "No" ? "stopped" : state.lowercased())\(message)"
        }
        guard stopped.isEmpty else { return ReplicationReading(stopped: channel + stopped.joined(separator: "; ")) }
        let seconds = row["Seconds_Behind_Source"] ?? row["Seconds_Behind_Master"]
        guard let behind = seconds.flatMap({ UInt32($0) }) else {
            return ReplicationReading(stopped: "\(channel)the server does not report its lag")
        }
        return ReplicationReading(behind: .seconds(Int64(behind)))
    }
}

/// A member of a replication group (group replication, InnoDB Cluster).
///
/// Members have no source, so that `SHOW REPLICA STATUS` tells nothing of them. See "Monitoring Group Replication" and
/// "The replication_applier_status_by_worker Table" in the MySQL manual.
package struct MySQLGroup: Equatable {
    /// Any user may ask for it. The variable does not exist without the plugin, and is empty outside a group.
    static let nameQuestion = "SHOW GLOBAL VARIABLES LIKE 'group_replication_group_name'"

    /// The oldest transaction that is being applied counts, from its commit on the primary.
    static let question = """
        SELECT MEMBER_STATE AS state, \
        (SELECT COUNT(*) FROM performance_schema.replication_group_members) AS members, \
        (SELECT COUNT(*) FROM performance_schema.replication_group_members \
        WHERE MEMBER_STATE = 'UNREACHABLE') AS unreachable, \
        (SELECT SERVICE_STATE FROM performance_schema.replication_applier_status \
        WHERE CHANNEL_NAME = 'group_replication_applier') AS applier, \
        (SELECT TIMESTAMPDIFF(MICROSECOND, MIN(APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP), NOW(6)) \
        FROM performance_schema.replication_applier_status_by_worker \
        WHERE CHANNEL_NAME = 'group_replication_applier' AND APPLYING_TRANSACTION <> '') AS behind \
        FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid
        """

    /// The group's name, a UUID that all members share.
    package let name: String
    package let reading: ReplicationReading

    /// - Parameter rows: the answer to ``question``: one row, or none if the server has left the group.
    package init(name: String, _ rows: [[String: String]]) {
        self.name = name
        reading = Self.reading(rows.first ?? [:])
    }

    private static func reading(_ row: [String: String]) -> ReplicationReading {
        let state = row["state"] ?? "OFFLINE"
        guard state == "ONLINE" else {
            return ReplicationReading(stopped: "the server's state in its group is \(state)")
        }
        // Without a majority, the group accepts no transaction and this member receives none.
        if let members = Int(row["members"] ?? ""), let away = Int(row["unreachable"] ?? ""), away > 0,
            away >= members - away
        {
            return ReplicationReading(stopped: "the server cannot reach a majority of its group")
        }
        guard row["applier"] == "ON" else { return ReplicationReading(stopped: "the applier of the group is stopped") }
        // Nothing is being applied: the member has caught up.
        let behind = row["behind"].flatMap { Int64($0) } ?? 0
        return ReplicationReading(behind: .microseconds(max(0, behind)))
    }
}

/// The role of a MySQL or MariaDB server.
///
/// These servers do not report a role. `read_only` refuses writes of users without administrative privileges. A server
/// replicates as long as a source is configured (see "SHOW REPLICA STATUS" of MySQL, "SHOW ALL SLAVES STATUS" of
/// MariaDB). So a ping treats these servers as
/// * a replica: a server that is `read_only` or replicates, even if its threads are not running. A replica may be
///   writable on purpose. A server that is writable and does not replicate was promoted: this is the state after STOP
///   REPLICA, RESET REPLICA ALL and `read_only = 0`.
/// * a primary: a server that is not `read_only`, even if it replicates. Two primaries may replicate from each other.
///
/// Any user may read `read_only`. The replication status requires a privilege, so it is queried only if it is needed.
package struct MySQLRole {
    static let question = """
        SELECT @@global.read_only AS read_only, @@version AS version, CURRENT_USER() AS account
        """

    package let isReadOnly: Bool
    package let version: MySQLVersion
    private let account: String

    /// Returns `nil` if the answer is invalid.
    ///
    /// - Parameter rows: the answer to ``question``.
    package init?(_ rows: [[String: String]]) {
        guard let row = rows.first, let readOnly = row["read_only"] else { return nil }
        // Newer servers may report more values than ON.
        isReadOnly = readOnly != "0" && readOnly != "OFF"
        version = MySQLVersion(row["version"] ?? "")
        account = row["account"] ?? ""
    }

    /// The statement that grants access to the replication status: `GRANT REPLICATION CLIENT ON *.* TO 'monitor'@'%'`.
    package var grant: String { grant("\(version.channelPrivilege) ON *.*") }

    /// The statement that grants access to the state of a replication group.
    package var groupGrant: String { grant("SELECT ON performance_schema.*") }

    /// The statements that grant these privileges, in one line.
    func grants(_ privileges: [String]) -> String { privileges.map(grant).joined(separator: "; ").asOneLine() }

    private func grant(_ privilege: String) -> String {
        let at = account.lastIndex(of: "@") ?? account.endIndex
        let parts = [account[..<at], account[at...].dropFirst()].map { "'\($0)'" }
        return "GRANT \(privilege) TO \(parts.joined(separator: "@"))"
    }
}

/// The version of a MySQL or MariaDB server, and the differences between versions.
package struct MySQLVersion {
    package let isMariaDB: Bool
    private let numbers: [Int]

    /// - Parameter text: the value of `@@version`, such as `8.0.36` or `10.11.6-MariaDB-0+deb12u1-log`.
    package init(_ text: String) {
        isMariaDB = text.contains("MariaDB")
        numbers = text.prefix { $0.isNumber || $0 == "." }.split(separator: ".").map { Int($0) ?? 0 }
    }

    /// The query for the sources of the server: one row per source, and none if the server does not replicate.
    ///
    /// MariaDB lists all sources only with `ALL SLAVES`. MySQL 8.4 does not accept `SLAVE`; 8.0.21 and earlier do not
    /// accept `REPLICA`.
    var channelQuestion: String {
        if isMariaDB { return "SHOW ALL SLAVES STATUS" }
        return isAtLeast(8, 0, 22) ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS"
    }

    /// Whether the server can be a member of a replication group that tells how far it is behind.
    var hasGroups: Bool { !isMariaDB && isAtLeast(8, 0, 2) }

    /// Whether performance_schema has the process list.
    var hasProcessTable: Bool { !isMariaDB && isAtLeast(8, 0, 22) }

    /// The privilege that ``channelQuestion`` requires.
    var channelPrivilege: String { isMariaDB && isAtLeast(10, 5) ? "REPLICA MONITOR" : "REPLICATION CLIENT" }

    /// The release series, such as `8.0` or `10.11`. Versions of one series behave the same.
    package var series: String { numbers.prefix(2).map(String.init).joined(separator: ".") }

    /// The statement that resets the error counts of client addresses. MySQL has a different one since 8.0.23. 8.4 has
    /// no `FLUSH HOSTS`.
    package var forgetHosts: String {
        !isMariaDB && isAtLeast(8, 0, 23) ? "TRUNCATE TABLE performance_schema.host_cache" : "FLUSH HOSTS"
    }

    private func isAtLeast(_ least: Int...) -> Bool { !numbers.lexicographicallyPrecedes(least) }
}
