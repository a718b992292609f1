import FailoverChecks
public import FailoverCore

/// A RabbitMQ server, or another that speaks AMQP 0-9-1, that is pinged by a login to its virtual host. Notify-only.
public struct RabbitMQService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let check: ServerCheck

    /// - Parameter settings: 3 s for a ping in both states unless given.
    public init(name: String, server: RabbitMQServer, settings: MonitorSettings = .connectOnly) {
        self.init(name: name, server: server, settings: settings, checks: .shared)
    }

    init(name: String, server: RabbitMQServer, settings: MonitorSettings, checks: CheckFactory) {
        self.name = name
        self.settings = settings
        check = checks.check(of: server)
    }

    public func ping(limit: Duration) async throws { try await check.ping(limit: limit) }
}
