/// All that is known of a monitored service at one moment.
public struct ServiceReport: Sendable {
    public let name: String
    public let settings: MonitorSettings
    public let status: ServiceStatus
    /// When the decided state began; the start of the monitoring unless there was an outage.
    public let since: WallTime
    public let history: PingHistory
    /// Outages since the start.
    public let outages: Int

    public init(
        name: String, settings: MonitorSettings, status: ServiceStatus, since: WallTime, history: PingHistory,
        outages: Int
    ) {
        self.name = name
        self.settings = settings
        self.status = status
        self.since = since
        self.history = history
        self.outages = outages
    }
}
