package import FailoverCore

/// What a MySQL or MariaDB replica says of its replication: a row for each source that it follows, with two threads, one
/// that receives and one that applies, and how many seconds it is behind; NULL when one of them does not run.
///
/// MySQL manual, "SHOW REPLICA STATUS"; MariaDB's "SHOW REPLICA STATUS". The names of columns depend on the version.
package enum MySQLReplication {
    /// - Parameter channels: what the server has answered to ``MySQLVersion/channelQuestion``.
    package static func reading(_ channels: [[String: String]]) -> ReplicationReading {
        let counting = counting(channels)
        let readings = counting.map(reading(ofChannel:))
        guard !readings.isEmpty else {
            // The members of a group tell no lag.
            return channels.isEmpty
                ? ReplicationReading(stopped: "the replica follows no primary") : ReplicationReading()
        }
        let stopped = readings.compactMap(\.stopped)
        // Of several sources the one that is furthest behind counts.
        return stopped.isEmpty
            ? ReplicationReading(behind: readings.compactMap(\.behind).max())
            : ReplicationReading(stopped: stopped.joined(separator: "; "))
    }

    /// The channels that say something of the replica's data: not those of group replication, which rest while all is well,
    /// and beside others not those that were never started.
    package static func counting(_ channels: [[String: String]]) -> [[String: String]] {
        let ofGroup = ["group_replication_recovery", "group_replication_applier"]
        let own = channels.filter { !ofGroup.contains(name(of: $0)) }
        let started = own.filter { !wasNeverStarted($0) }
        return started.isEmpty ? own : started
    }

    /// Whether the channel has never met its source: MySQL remembers its UUID, and a relay log that was read has a position
    /// behind its head, which has 4 bytes.
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
            let words = row[error].flatMap { $0.isEmpty ? nil : ": \($0)" } ?? ""
            return "the \(thread) thread is \(state == "No" ? "stopped" : state.lowercased())\(words)"
        }
        guard stopped.isEmpty else { return ReplicationReading(stopped: channel + stopped.joined(separator: "; ")) }
        let seconds = row["Seconds_Behind_Source"] ?? row["Seconds_Behind_Master"]
        guard let behind = seconds.flatMap({ UInt32($0) }) else {
            return ReplicationReading(stopped: "\(channel)the server does not know how far it is behind")
        }
        return ReplicationReading(behind: .seconds(Int64(behind)))
    }
}

/// What a MySQL or MariaDB server says of its role.
///
/// Neither server has a role of its own: `read_only` refuses writes to users without privileges of an administrator, and
/// a server replicates as long as it has a source configured (MySQL manual, "SHOW REPLICA STATUS"; MariaDB's "SHOW ALL
/// SLAVES STATUS"). So a ping calls
/// * a replica what is `read_only`, or replicates, its threads running or not. Only what is neither was promoted: that is
///   what STOP REPLICA, RESET REPLICA ALL and `read_only = 0` leave behind. Some replicas are writable on purpose.
/// * a primary what is not `read_only`, whether it replicates or not: primaries may follow each other.
///
/// Everybody may read `read_only`. For the other question a user needs a privilege, so it comes only when needed.
package struct MySQLRole {
    static let question = """
        SELECT @@global.read_only AS read_only, @@version AS version, CURRENT_USER() AS account
        """

    package let isReadOnly: Bool
    package let version: MySQLVersion
    private let account: String

    /// - Parameter rows: the answer to ``question``; `nil` if it is none.
    package init?(_ rows: [[String: String]]) {
        guard let row = rows.first, let readOnly = row["read_only"] else { return nil }
        // Newer servers may have more words for it than ON.
        isReadOnly = readOnly != "0" && readOnly != "OFF"
        version = MySQLVersion(row["version"] ?? "")
        account = row["account"] ?? ""
    }

    /// What lets the user ask whether the server replicates: `GRANT REPLICATION CLIENT ON *.* TO 'monitor'@'%'`.
    package var grant: String {
        let at = account.lastIndex(of: "@") ?? account.endIndex
        let parts = [account[..<at], account[at...].dropFirst()].map { "'\($0)'" }
        return "GRANT \(version.channelPrivilege) ON *.* TO \(parts.joined(separator: "@"))"
    }
}

/// The version of a MySQL or MariaDB server, and what differs between them.
package struct MySQLVersion {
    package let isMariaDB: Bool
    private let numbers: [Int]

    /// - Parameter text: as in `@@version`: `8.0.36`, `10.11.6-MariaDB-0+deb12u1-log`.
    package init(_ text: String) {
        isMariaDB = text.contains("MariaDB")
        numbers = text.prefix { $0.isNumber || $0 == "." }.split(separator: ".").map { Int($0) ?? 0 }
    }

    /// The question for the sources that the server follows: a row each, none for a server that follows nobody.
    ///
    /// MariaDB lists them all only for this word; MySQL 8.4 has no `SLAVE` any more, 8.0.21 and earlier no `REPLICA` yet.
    var channelQuestion: String {
        if isMariaDB { return "SHOW ALL SLAVES STATUS" }
        return isAtLeast(8, 0, 22) ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS"
    }

    /// The privilege that ``channelQuestion`` takes.
    var channelPrivilege: String { isMariaDB && isAtLeast(10, 5) ? "REPLICA MONITOR" : "REPLICATION CLIENT" }

    /// Within which versions behave alike: `8.0`, `10.11`.
    package var series: String { numbers.prefix(2).map(String.init).joined(separator: ".") }

    /// Forgets the errors of clients' addresses. MySQL has another word for it since 8.0.23, and 8.4 no `FLUSH HOSTS`.
    package var forgetHosts: String {
        !isMariaDB && isAtLeast(8, 0, 23) ? "TRUNCATE TABLE performance_schema.host_cache" : "FLUSH HOSTS"
    }

    private func isAtLeast(_ least: Int...) -> Bool { !numbers.lexicographicallyPrecedes(least) }
}
