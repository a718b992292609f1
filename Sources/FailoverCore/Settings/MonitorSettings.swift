/// How one service is monitored.
public struct MonitorSettings: Hashable, Sendable {
    /// What happens if a server refuses the monitor: ``PingFailure/Kind/refusal``. `refused_ping`.
    public enum RefusedPing: String, Hashable, Sendable, CaseIterable {
        /// The service stays up, and is degraded.
        case degraded
        /// The ping counts like that of a dead server.
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
    /// The number of different sessions that must see an error within the error interval before new sessions try
    /// other servers first; at least 1. One refused connect is sufficient. `suspect_after`, 2.
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

    /// What a failed ping says about the service, under these settings.
    func meaning(of failure: PingFailure) -> PingFailure.Kind {
        failure.kind == .refusal && refusedPing == .down ? .dead : failure.kind
    }
}

extension MonitorSettings {
    /// The defaults of services other than databases: 3 s for a ping in both states, and down if the server refuses
    /// the ping.
    public static let connectOnly = MonitorSettings(
        pingTimeout: .seconds(3), outagePingTimeout: .seconds(3), refusedPing: .down)
}

/// The minimum intervals between pings of one service. The older library calls them *frequency*.
public struct PingFrequencies: Hashable, Sendable {
    /// While the service is up. `monitoring_ping_frequency`, 120 s.
    public var monitoringInterval: Duration
    /// While it is down. `outage_ping_frequency`, 30 s.
    public var outageInterval: Duration
    /// For a ping requested by an observed error, and for one that confirms a result. `error_ping_frequency`, 5 s.
    public var errorInterval: Duration
    /// Between reminders of a continuing outage. `outage_logging_frequency`, 3600 s.
    public var outageLoggingInterval: Duration

    public init(
        monitoringInterval: Duration = .seconds(120),
        outageInterval: Duration = .seconds(30),
        errorInterval: Duration = .seconds(5),
        outageLoggingInterval: Duration = .seconds(3600)
    ) {
        self.monitoringInterval = monitoringInterval
        self.outageInterval = outageInterval
        self.errorInterval = errorInterval
        self.outageLoggingInterval = outageLoggingInterval
    }
}
