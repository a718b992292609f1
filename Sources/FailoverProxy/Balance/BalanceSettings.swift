/// How new sessions are shared among aliases that serve side by side. The words are those of a service's configuration.
public struct BalanceSettings: Hashable, Sendable {
    public enum Policy: String, Hashable, Sendable, CaseIterable {
        /// To the alias with the fewest sessions of the route, for its weight.
        case leastSessions = "least_sessions"
        /// In turn, by weight.
        case roundRobin = "round_robin"
        /// To the first that is up and has room.
        case first
    }

    /// `balance`
    public var policy: Policy
    /// For how long the share of an alias that is back grows from nothing to all of it. `slow_start`; 0, the default, is
    /// not at all.
    public var slowStart: Duration

    public init(policy: Policy = .leastSessions, slowStart: Duration = .zero) {
        self.policy = policy
        self.slowStart = slowStart
    }
}
