public import FailoverCore

/// What a service that is no route pings, by `type`.
public enum WatchedServer: Hashable, Sendable {
    /// `tcp`: pinged by connect.
    case tcp(Endpoint)
    /// `memcached`: each server of the pool is pinged; at least one.
    case memcached([Endpoint])
    /// `rabbitmq`: pinged by login.
    case rabbitmq(RabbitMQServer)
    /// `redis`: pinged by login.
    case redis(RedisServer)
    /// `command`: pinged by a command of the operator's.
    case command(ServiceCommands)
}

/// The commands of a service of `type: command`: a program's absolute path, then its arguments.
public struct ServiceCommands: Hashable, Sendable {
    /// Ends with exit status 0 when the service is up.
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
