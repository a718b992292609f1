import FailoverCore

/// What a MySQL or MariaDB replica says of its replication: a row for each source that it follows, with two threads, one
/// that receives and one that applies, and how many seconds it is behind; NULL when one of them does not run.
///
/// MySQL manual, "SHOW REPLICA STATUS"; MariaDB's "SHOW REPLICA STATUS". The names of columns depend on the version.
enum MySQLReplication {
    /// - Parameter channels: what the server has answered to ``MySQLVersion/channelQuestion``.
    static func reading(_ channels: [[String: String]]) -> ReplicationReading {
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
    static func counting(_ channels: [[String: String]]) -> [[String: String]] {
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
