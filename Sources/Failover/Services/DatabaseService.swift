import FailoverChecks
public import FailoverCore

/// A database server that is pinged by a login and a query through its own driver. Notify-only: what is to happen during
/// an outage is up to ``FailoverEvent`` receivers, or to a service of your own that pings through this one.
public struct DatabaseService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let check: ServerCheck

    /// - Parameter settings: 10 s for a ping while up and 1 s while down unless given.
    public init(name: String, server: DatabaseServer, settings: MonitorSettings = MonitorSettings()) {
        self.init(name: name, server: server, settings: settings, checks: .shared)
    }

    init(name: String, server: DatabaseServer, settings: MonitorSettings, checks: CheckFactory) {
        self.name = name
        self.settings = settings
        check = checks.check(of: server)
    }

    /// Why the server is not to serve although its latest ping succeeded: its data is too old, by its
    /// ``DatabaseServer/replication``. `nil` while it is fresh.
    public var staleness: Staleness? { check.staleness }

    public func ping(limit: Duration) async throws { try await check.ping(limit: limit) }
}
