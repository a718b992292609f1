/// How old the data of a replica may be. The words are those of a database alias's configuration.
public struct ReplicationPolicy: Hashable, Sendable {
    /// What it means that replication has stopped: its receiver or applier does not run.
    public enum WhenStopped: String, Hashable, Sendable, CaseIterable {
        /// The ping fails.
        case down
        /// The replica lags, more and more.
        case lag
        /// Nothing, until it runs again.
        case ignore
    }

    /// A replica that is further behind is stale. `max_lag`; `nil`, the default, is no limit.
    public var maxLag: Duration?
    /// A stale replica is fresh again when it is no further behind than this. `lag_recovers_at`; half of ``maxLag``.
    public var recoversAt: Duration
    /// A replica that is further behind, in bytes of its primary's log, is stale, and fresh again when it is no further
    /// behind than half of it. `max_lag_bytes`; `nil`, the default, is no limit. PostgreSQL only.
    public var maxLagBytes: UInt64?
    /// `replication_stopped`
    public var whenStopped: WhenStopped
    /// Asks the replica how many seconds it is behind. `heartbeat_query`; `nil`, the default, takes the server's word.
    public var heartbeatQuery: String?

    public init(
        maxLag: Duration?, recoversAt: Duration? = nil, maxLagBytes: UInt64? = nil, whenStopped: WhenStopped = .lag,
        heartbeatQuery: String? = nil
    ) {
        self.maxLag = maxLag
        self.recoversAt = recoversAt ?? (maxLag ?? .zero) / 2
        self.maxLagBytes = maxLagBytes
        self.whenStopped = whenStopped
        self.heartbeatQuery = heartbeatQuery
    }

    /// Whether anything depends on what the server says of its replication.
    public var needsTheServersWord: Bool { heartbeatQuery == nil || whenStopped != .ignore || maxLagBytes != nil }
}
