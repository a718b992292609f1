/// How one service is monitored.
public struct MonitorSettings: Hashable, Sendable {
    public var frequencies: PingFrequencies
    /// Failures in a row that make an outage; at least 1.
    public var fall: Int
    /// Successes in a row that make a recovery; at least 1.
    public var rise: Int
    /// Time limit of a ping while the service is up. `ping_timeout`, 10 s.
    public var pingTimeout: Duration
    /// Time limit of a ping while it is down. `outage_ping_timeout`, 1 s.
    public var outagePingTimeout: Duration

    public init(
        frequencies: PingFrequencies = PingFrequencies(),
        fall: Int = 1,
        rise: Int = 1,
        pingTimeout: Duration = .seconds(10),
        outagePingTimeout: Duration = .seconds(1)
    ) {
        self.frequencies = frequencies
        self.fall = max(1, fall)
        self.rise = max(1, rise)
        self.pingTimeout = pingTimeout
        self.outagePingTimeout = outagePingTimeout
    }
}
