/// How one service is monitored.
public struct MonitorSettings: Hashable, Sendable {
    /// What it means that a server refuses the monitor: ``PingFailure/Kind/refusal``. `refused_ping`.
    public enum RefusedPing: String, Hashable, Sendable, CaseIterable {
        /// The service stays up, and is degraded.
        case degraded
        /// The ping counts as that of a dead server.
        case down
    }

    public var frequencies: PingFrequencies
    /// Failures in a row that make an outage; at least 1.
    public var fall: Int
    /// Successes in a row that make a recovery; at least 1.
    public var rise: Int
    /// Time limit of a ping while the service is up. `ping_timeout`, 10 s.
    public var pingTimeout: Duration
    /// Time limit of a ping while it is down. `outage_ping_timeout`, 1 s.
    public var outagePingTimeout: Duration
    /// Different sessions that must see an error within the error interval before new sessions try other servers first; at
    /// least 1. A refused connect is enough alone. `suspect_after`, 2.
    public var suspectAfter: Int
    /// `refused_ping`, degraded.
    public var refusedPing: RefusedPing

    public init(
        frequencies: PingFrequencies = PingFrequencies(),
        fall: Int = 1,
        rise: Int = 1,
        pingTimeout: Duration = .seconds(10),
        outagePingTimeout: Duration = .seconds(1),
        suspectAfter: Int = 2,
        refusedPing: RefusedPing = .degraded
    ) {
        self.frequencies = frequencies
        self.fall = max(1, fall)
        self.rise = max(1, rise)
        self.pingTimeout = pingTimeout
        self.outagePingTimeout = outagePingTimeout
        self.suspectAfter = max(1, suspectAfter)
        self.refusedPing = refusedPing
    }

    /// What a failed ping says of the service.
    func meaning(of failure: PingFailure) -> PingFailure.Kind {
        failure.kind == .refusal && refusedPing == .down ? .dead : failure.kind
    }
}
