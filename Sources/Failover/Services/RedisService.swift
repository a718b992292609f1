import FailoverChecks
public import FailoverCore

/// A Redis server that is pinged by a login. It is down also while it loads its data, or is a replica that has lost its
/// primary. Notify-only.
public struct RedisService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let check: ServerCheck

    /// - Parameter settings: 3 s for a ping in both states unless given.
    public init(name: String, server: RedisServer, settings: MonitorSettings = .connectOnly) {
        self.init(name: name, server: server, settings: settings, checks: .shared)
    }

    init(name: String, server: RedisServer, settings: MonitorSettings, checks: CheckFactory) {
        self.name = name
        self.settings = settings
        check = checks.check(of: server)
    }

    public func ping(limit: Duration) async throws { try await check.ping(limit: limit) }
}
