import FailoverChecks
public import FailoverCore

/// A TCP port or Unix socket that is pinged by connecting to it. Notify-only.
public struct TCPService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let check: ServerCheck

    /// - Parameter settings: 3 s for a ping in both states unless given.
    public init(name: String, endpoint: Endpoint, settings: MonitorSettings = .connectOnly) {
        self.init(name: name, endpoint: endpoint, settings: settings, checks: .shared)
    }

    init(name: String, endpoint: Endpoint, settings: MonitorSettings, checks: CheckFactory) {
        self.name = name
        self.settings = settings
        check = checks.check(of: endpoint)
    }

    public func ping(limit: Duration) async throws { try await check.ping(limit: limit) }
}

extension MonitorSettings {
    /// The defaults of services that are no databases: 3 s for a ping in both states, and down when the server refuses it.
    public static let connectOnly = MonitorSettings(
        pingTimeout: .seconds(3), outagePingTimeout: .seconds(3), refusedPing: .down)
}
