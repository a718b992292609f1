/// The shortest times between pings of one service. The older library's word for them is *frequency*.
public struct PingFrequencies: Hashable, Sendable {
    /// While the service is up. `monitoring_ping_frequency`, 120 s.
    public var monitoringInterval: Duration
    /// While it is down. `outage_ping_frequency`, 30 s.
    public var outageInterval: Duration
    /// For a ping asked for by an observed error, and to confirm a result. `error_ping_frequency`, 5 s.
    public var errorInterval: Duration
    /// Between reminders of an outage that lasts. `outage_logging_frequency`, 3600 s.
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
