public import FailoverCore

/// One entry of `services`.
public struct ServiceConfiguration: Hashable, Sendable {
    /// The kind of service.
    public enum Kind: Hashable, Sendable {
        /// `type: database`: a route over database aliases.
        case database(DatabaseRoute)
        /// Any other type: it is pinged, and moves no route.
        case watched(WatchedServer, MonitorSettings)
    }

    /// Letters, digits, `_`, `.` and `-`. Equal to an alias's name only if the service's route holds that alias.
    public var name: String
    /// The `type` and its settings.
    public var kind: Kind
    /// Name/value pairs that are published while the service is down. `failover_settings`, none by default.
    public var failoverSettings: [String: String]
    /// The routes that refuse new sessions while the service is down. `close_during_outage`, none by default.
    public var closure: RouteClosure?

    public init(
        name: String, kind: Kind, failoverSettings: [String: String] = [:], closure: RouteClosure? = nil
    ) {
        self.name = name
        self.kind = kind
        self.failoverSettings = failoverSettings
        self.closure = closure
    }

    /// How many of the aliases that serve side by side may be down before the service counts as down.
    package var spareReplicas: Int {
        guard case .database(let route) = kind else { return 0 }
        return max(0, route.preferredCount - route.minReplicas)
    }
}

/// Routes that refuse new sessions during an outage, and the message for their clients: `close_during_outage`.
public struct RouteClosure: Hashable, Sendable {
    /// Names of services of type database; at least one.
    public var routes: [String]
    /// One line for the client, in its database's protocol.
    public var message: String

    public init(routes: [String], message: String) {
        self.routes = routes
        self.message = message
    }
}

/// The server that a service without a route pings, by `type`.
public enum WatchedServer: Hashable, Sendable {
    /// `tcp`: pinged by connecting.
    case tcp(Endpoint)
    /// `memcached`: each server of the pool is pinged; at least one.
    case memcached([Endpoint])
    /// `rabbitmq`: pinged by login.
    case rabbitmq(RabbitMQServer)
    /// `redis`: pinged by login.
    case redis(RedisServer)
    /// `command`: pinged by a command of the operator.
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

    /// The address, in text for people.
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

/// The commands of a service of `type: command`: a program's absolute path, then its arguments.
public struct ServiceCommands: Hashable, Sendable {
    /// Exits with status 0 if the service is up.
    public var ping: [String]
    /// Run on an outage.
    public var failover: [String]?
    /// Run on a recovery.
    public var recover: [String]?

    public init(ping: [String], failover: [String]? = nil, recover: [String]? = nil) {
        self.ping = ping
        self.failover = failover
        self.recover = recover
    }
}
