/// How one service is monitored. Each comment names the default and the key of the configuration file.
public struct MonitorSettings: Hashable, Sendable {
    /// What happens if a server refuses the monitor: see ``PingFailure/Kind/refusal``.
    public enum RefusedPing: String, Hashable, Sendable, CaseIterable {
        /// The service stays up and is degraded.
        case degraded
        /// The ping counts as the ping of a dead server.
        case down
    }

    /// How often the service is pinged.
    public var frequencies: PingFrequencies
    /// The number of pings in a row that must find the service dead to make an outage. Default: 1. Key: `fall`.
    public var fall: Int
    /// The number of pings in a row that must find the service alive to make a recovery. Default: 1. Key: `rise`.
    public var rise: Int
    /// Time limit of a ping while the service is up. Default: 10 s. Key: `ping_timeout`.
    public var pingTimeout: Duration
    /// Time limit of a ping while the service is down. Default: 1 s. Key: `outage_ping_timeout`.
    public var outagePingTimeout: Duration
    /// The number of different sessions that must see an error within `errorInterval` before new sessions try other
    /// servers first. One refused connect is enough. Default: 2. Key: `suspect_after`.
    public var suspectAfter: Int
    /// What happens if the server refuses the monitor. Default: degraded. Key: `refused_ping`.
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

    /// What a failed ping shows about the service, under these settings.
    func meaning(of failure: PingFailure) -> PingFailure.Kind {
        failure.kind == .refusal && refusedPing == .down ? .dead : failure.kind
    }
}

extension MonitorSettings {
    /// The defaults of services that are not databases: 3 s for a ping in both states. A server that refuses the ping
    /// counts as down.
    public static let connectOnly = MonitorSettings(
        pingTimeout: .seconds(3), outagePingTimeout: .seconds(3), refusedPing: .down)
}

/// The minimum intervals between two pings of one service. The configuration file and the older library call them
/// *frequency*.
public struct PingFrequencies: Hashable, Sendable {
    /// The interval while the service is up. Default: 120 s. Key: `monitoring_ping_frequency`.
    public var monitoringInterval: Duration
    /// The interval while the service is down. Default: 30 s. Key: `outage_ping_frequency`.
    public var outageInterval: Duration
    /// The interval if an error requests a ping, or a result is unconfirmed. Default: 5 s. Key: `error_ping_frequency`.
    public var errorInterval: Duration
    /// The interval between reminders of an outage. Default: 3600 s. Key: `outage_logging_frequency`.
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
