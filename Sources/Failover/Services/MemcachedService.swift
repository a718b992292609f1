import FailoverChecks
public import FailoverCore

/// A pool of memcached servers. It is down when any of them is; the outage names those that are. Notify-only.
public struct MemcachedService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let check: MemcachedCheck

    /// - Parameters:
    ///   - servers: at least one.
    ///   - settings: 3 s for a ping in both states unless given.
    public init(name: String, servers: [Endpoint], settings: MonitorSettings = .connectOnly) {
        self.init(name: name, servers: servers, settings: settings, checks: .shared)
    }

    init(name: String, servers: [Endpoint], settings: MonitorSettings, checks: CheckFactory) {
        self.name = name
        self.settings = settings
        check = MemcachedCheck(servers: servers, resolver: checks.resolver, threads: checks.threads)
    }

    public func ping(limit: Duration) async throws { try await check.ping(limit: limit) }
}
