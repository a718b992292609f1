import FailoverCore

extension ReplicationPolicy {
    /// The keys of a database alias that say how old its data may be.
    static let keys = ["max_lag", "lag_recovers_at", "max_lag_bytes", "replication_stopped", "heartbeat_query"]

    /// Reads the section of a database alias; `nil` when it says nothing of replication.
    init?(_ section: Section, role: DatabaseServer.Role?, engine: DatabaseServer.Engine?) {
        let maxLag = section["max_lag"]?.duration()
        let recoversAt = section["lag_recovers_at"]?.duration()
        let maxLagBytes = section["max_lag_bytes"]?.byteCount()
        let stopped = section["replication_stopped"]?.choice(of: WhenStopped.self)
        let heartbeatQuery = section["heartbeat_query"]?.text()
        if engine == .mysql {
            section["max_lag_bytes"]?.report("engine mysql has no use for it: only PostgreSQL tells positions in bytes")
        }
        if role == .primary {
            for key in Self.keys { section[key]?.report("a primary has no lag; it is for a replica") }
        } else if section["max_lag"] == nil {
            for key in ["lag_recovers_at", "heartbeat_query"] { section[key]?.report("needs `max_lag`") }
        }
        if let maxLag, let recoversAt, recoversAt > maxLag {
            section["lag_recovers_at"]?.report("must not be longer than `max_lag`")
        }
        guard maxLag != nil || maxLagBytes != nil || stopped != nil else { return nil }
        self.init(
            maxLag: maxLag, recoversAt: recoversAt, maxLagBytes: maxLagBytes, whenStopped: stopped ?? .lag,
            heartbeatQuery: heartbeatQuery)
    }
}
