public import FailoverCore

/// One entry of `services`.
public struct ServiceConfiguration: Hashable, Sendable {
    /// The kind of service.
    public enum Kind: Hashable, Sendable {
        /// `type: database`: a route over database aliases.
        case database(DatabaseRoute)
        /// Any other type: a service that is pinged and moves no route.
        case watched(WatchedServer, MonitorSettings)
    }

    /// The name, which consists of letters, digits, `_`, `.` and `-`. It may be the name of an alias only if the route
    /// of the service has that alias.
    public var name: String
    /// The `type` and its settings.
    public var kind: Kind
    /// Names and values that are published while the service is down. Default: none. Key: `failover_settings`.
    public var failoverSettings: [String: String]
    /// The routes that refuse new sessions while the service is down. Default: none. Key: `close_during_outage`.
    public var closure: RouteClosure?

    public init(
        name: String, kind: Kind, failoverSettings: [String: String] = [:], closure: RouteClosure? = nil
    ) {
        self.name = name
        self.kind = kind
        self.failoverSettings = failoverSettings
        self.closure = closure
    }

    /// How many of the aliases that share sessions may be down before the service counts as down.
    package var spareReplicas: Int {
        guard case .database(let route) = kind else { return 0 }
        return max(0, route.preferredCount - route.minReplicas)
    }
}

/// Routes that refuse new sessions during an outage, and the message for their clients: `close_during_outage`.
public struct RouteClosure: Hashable, Sendable {
    /// The names of the routes, which are services of type database; at least one.
    public var routes: [String]
    /// The message for clients, one line. They receive it in the protocol of their database.
    public var message: String

    public init(routes: [String], message: String) {
        self.routes = routes
        self.message = message
    }
}

/// The server that a service without a route pings, by `type`.
public enum WatchedServer: Hashable, Sendable {
    /// `tcp`: the ping only connects.
    case tcp(Endpoint)
    /// `memcached`: the ping queries each server of the pool; at least one.
    case memcached([Endpoint])
    /// `rabbitmq`: the ping logs in and opens a channel.
    case rabbitmq(RabbitMQServer)
    /// `redis`: the ping logs in and queries the state of the server.
    case redis(RedisServer)
    /// `command`: the ping runs a command of the operator.
    case command(ServiceCommands)
}

extension WatchedServer {
    /// The `type` in the configuration.
    package var typeName: String {
        switch self {
        case .tcp: "tcp"
        case .memcached: "memcached"
        case .rabbitmq: "rabbitmq"
        case .redis: "redis"
        case .command: "command"
        }
    }

    /// The address, as text.
    package var location: String {
        switch self {
        case .tcp(let endpoint): endpoint.description
        case .memcached(let servers): servers.map(\.description).joined(separator: ", ")
        case .rabbitmq(let server): server.endpoint.description
        case .redis(let server): server.endpoint.description
        case .command(let commands): commands.ping.first ?? ""
        }
    }
}

/// The commands of a service of `type: command`. Each is the absolute path of a program, followed by its arguments.
public struct ServiceCommands: Hashable, Sendable {
    /// The ping. It exits with status 0 if the service is up.
    public var ping: [String]
    /// The command that runs on an outage; `nil`, the default, for none.
    public var failover: [String]?
    /// The command that runs on a recovery; `nil`, the default, for none.
    public var recover: [String]?

    public init(ping: [String], failover: [String]? = nil, recover: [String]? = nil) {
        self.ping = ping
        self.failover = failover
        self.recover = recover
    }
}
