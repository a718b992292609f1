public import FailoverCore

/// Listeners and the ordered aliases that may serve their clients: what a service of `type: database` says.
public struct DatabaseRoute: Hashable, Sendable {
    /// `db_alias`, then the failover aliases in the order they are tried. At least one, none twice, all of one engine.
    public var aliases: [String]
    /// Where clients connect; at least one. Port 0 lets the kernel choose.
    public var listen: [Endpoint]
    /// Sessions that the route may hold; `nil`, the default, is no limit.
    public var maxConnections: Int?
    /// Time limit of one connect to a backend. `connect_timeout`, 1 s.
    public var connectTimeout: Duration
    /// Closes a session that moved no byte for so long. `nil`, the default, is never.
    public var idleTimeout: Duration?
    /// How long a backend may leave sent bytes unacknowledged: `TCP_USER_TIMEOUT`, whole milliseconds, 30 s.
    /// `nil` leaves it to the kernel.
    public var tcpUserTimeout: Duration?
    /// Idle time before TCP keepalive probes: `TCP_KEEPIDLE`, whole seconds, 30 s. `nil` turns them off.
    public var keepalive: Duration?
    /// The observed errors that ask for a ping.
    public var errorTriggers: Set<BackendErrorKind>

    public init(
        aliases: [String],
        listen: [Endpoint],
        maxConnections: Int? = nil,
        connectTimeout: Duration = .seconds(1),
        idleTimeout: Duration? = nil,
        tcpUserTimeout: Duration? = .seconds(30),
        keepalive: Duration? = .seconds(30),
        errorTriggers: Set<BackendErrorKind> = BackendErrorKind.defaultTriggers
    ) {
        self.aliases = aliases
        self.listen = listen
        self.maxConnections = maxConnections
        self.connectTimeout = connectTimeout
        self.idleTimeout = idleTimeout
        self.tcpUserTimeout = tcpUserTimeout
        self.keepalive = keepalive
        self.errorTriggers = errorTriggers
    }
}
