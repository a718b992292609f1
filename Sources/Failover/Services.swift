import FailoverChecks
public import FailoverCore
import FailoverSystem

/// A database server. A ping logs in and runs a query. It is notify-only: to act on an outage, receive its
/// ``FailoverEvent``, or write a service that pings through this one and has hooks.
public struct DatabaseService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let check: ServerCheck
    private let known: Known

    /// The state that the pings so far have found.
    private final class Known: Sendable {
        let state: Lock<(whereabouts: Whereabouts, replica: ReplicaHealth, tls: TLSFacts?)>

        init(_ policy: ReplicationPolicy?) { state = Lock((Whereabouts(), ReplicaHealth(policy: policy), nil)) }
    }

    /// - Parameter settings: by default, the time limit of a ping is 10 s while the server is up, and 1 s while it is
    ///   down.
    public init(name: String, server: DatabaseServer, settings: MonitorSettings = MonitorSettings()) {
        self.init(name: name, server: server, settings: settings, checks: .shared)
    }

    init(name: String, server: DatabaseServer, settings: MonitorSettings, checks: CheckFactory) {
        self.name = name
        self.settings = settings
        check = checks.check(of: server)
        known = Known(server.replication)
    }

    /// Why the server should not serve although it is up: its data is older than ``DatabaseServer/replication`` allows.
    /// `nil` while the data is fresh.
    public var staleness: Staleness? { known.state.withLock { $0.replica.staleness } }

    /// The TLS session of the latest ping that succeeded; `nil` without TLS, and before the first such ping.
    public var tls: TLSFacts? { known.state.withLock { $0.tls } }

    public func ping(limit: Duration) async throws {
        let record = known.state.withLock { $0.whereabouts.record }
        let answer = await check.answer(PingRequest(limit: limit, record: record))
        let now = Self.clock.now
        known.state.withLock { known in
            _ = known.whereabouts.note(answer)
            _ = known.replica.note(answer, now: now)
            if answer.failure == nil { known.tls = answer.tls }
        }
        if let failure = answer.failure { throw failure }
    }

    private static let clock = MonotonicClock()
}

/// A TCP port or a Unix socket. A ping only connects. It is notify-only.
public struct TCPService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let check: ServerCheck

    /// - Parameter settings: by default, the time limit of a ping is 3 s.
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

/// A pool of memcached servers. It is down if any of them is, and the failure names the servers that are down. It is
/// notify-only.
public struct MemcachedService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let check: MemcachedCheck

    /// - Parameters:
    ///   - servers: the servers of the pool; at least one.
    ///   - settings: by default, the time limit of a ping is 3 s.
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

/// A Redis server. A ping logs in and queries the state. The server also counts as down while it loads its data, or if
/// it is a replica that has lost its primary. It is notify-only.
public struct RedisService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let check: ServerCheck

    /// - Parameter settings: by default, the time limit of a ping is 3 s.
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

/// A RabbitMQ server, or another AMQP 0-9-1 server. A ping logs in and opens a channel in the virtual host. It is
/// notify-only.
public struct RabbitMQService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let check: ServerCheck

    /// - Parameter settings: by default, the time limit of a ping is 3 s.
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

/// A service whose ping, failover and recovery are commands.
///
/// The environment of each command has `FAILOVER_SERVICE`, `FAILOVER_EVENT` (`ping`, `outage` or `recovery`) and, on an
/// outage, `FAILOVER_REASON`. At the time limit the command is killed with its process group.
public struct CommandService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let ping: CommandCheck
    private let failover: CommandCheck?
    private let recover: CommandCheck?

    /// - Parameters:
    ///   - environment: variables for the commands, in addition to those of this process.
    ///   - settings: by default, the time limit of each command is 10 s.
    public init(
        name: String, commands: ServiceCommands, environment: [String: String] = [:],
        settings: MonitorSettings = MonitorSettings(outagePingTimeout: .seconds(10))
    ) {
        self.init(name: name, commands: commands, environment: environment, settings: settings, checks: .shared)
    }

    init(
        name: String, commands: ServiceCommands, environment: [String: String], settings: MonitorSettings,
        checks: CheckFactory
    ) {
        self.name = name
        self.settings = settings
        func check(_ words: [String], event: String) -> CommandCheck {
            var variables = environment
            variables["FAILOVER_SERVICE"] = name
            variables["FAILOVER_EVENT"] = event
            return CommandCheck(command: Command(words, environment: variables), threads: checks.threads)
        }
        ping = check(commands.ping, event: "ping")
        failover = commands.failover.map { check($0, event: "outage") }
        recover = commands.recover.map { check($0, event: "recovery") }
    }

    public func ping(limit: Duration) async throws { try await ping.run(limit: limit) }

    public func failover(because failure: PingFailure) async throws {
        try await failover?.run(adding: ["FAILOVER_REASON": failure.description], limit: settings.pingTimeout)
    }

    public func recover() async throws { try await recover?.run(limit: settings.pingTimeout) }
}

extension ServiceConfiguration {
    /// Creates the service for monitoring; `nil` for a route.
    func watched(_ checks: CheckFactory) -> (any FailoverMonitor.Service)? {
        guard case .watched(let server, let settings) = kind else { return nil }
        return server.service(name: name, settings: settings, environment: failoverSettings, checks: checks)
    }
}

extension WatchedServer {
    /// Creates the service for monitoring.
    func service(
        name: String, settings: MonitorSettings, environment: [String: String], checks: CheckFactory
    ) -> any FailoverMonitor.Service {
        switch self {
        case .tcp(let endpoint): TCPService(name: name, endpoint: endpoint, settings: settings, checks: checks)
        case .memcached(let servers):
            MemcachedService(name: name, servers: servers, settings: settings, checks: checks)
        case .command(let commands):
            CommandService(
                name: name, commands: commands, environment: environment, settings: settings, checks: checks)
        case .redis(let server): RedisService(name: name, server: server, settings: settings, checks: checks)
        case .rabbitmq(let server):
            RabbitMQService(name: name, server: server, settings: settings, checks: checks)
        }
    }
}
