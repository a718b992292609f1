import FailoverCore

/// What a MySQL or MariaDB replica says of its replication: a row for each source that it follows, with two threads, one
/// that receives and one that applies, and how many seconds it is behind; NULL when one of them does not run.
///
/// MySQL manual, "SHOW REPLICA STATUS"; MariaDB's "SHOW REPLICA STATUS". The names of columns depend on the version.
enum MySQLReplication {
    /// - Parameter channels: what the server has answered to ``MySQLVersion/channelQuestion``.
    static func reading(_ channels: [[String: String]]) -> ReplicationReading {
        let readings = channels.map(reading(ofChannel:))
        guard !readings.isEmpty else { return ReplicationReading(stopped: "the replica follows no primary") }
        let stopped = readings.compactMap(\.stopped)
        // Of several sources the one that is furthest behind counts.
        return stopped.isEmpty
            ? ReplicationReading(behind: readings.compactMap(\.behind).max())
            : ReplicationReading(stopped: stopped.joined(separator: "; "))
    }

    private static func reading(ofChannel row: [String: String]) -> ReplicationReading {
        let name = row["Connection_name"] ?? row["Channel_Name"] ?? ""
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
