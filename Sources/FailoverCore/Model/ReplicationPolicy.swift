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
    /// `replication_stopped`
    public var whenStopped: WhenStopped

    public init(maxLag: Duration?, recoversAt: Duration? = nil, whenStopped: WhenStopped = .lag) {
        self.maxLag = maxLag
        self.recoversAt = recoversAt ?? (maxLag ?? .zero) / 2
        self.whenStopped = whenStopped
    }
}
