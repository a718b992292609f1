public import FailoverCore
public import FailoverSystem

/// A named database server, as in Django's `DATABASES`: one entry of `databases`.
public struct DatabaseAlias: Hashable, Sendable {
    /// The name, which consists of letters, digits, `_`, `.` and `-`.
    public var name: String
    /// The server, and how a ping logs in to it.
    public var server: DatabaseServer
    /// How the alias is monitored. In the file, keys of the services with this `db_alias` override keys of the alias,
    /// and these override keys at the top level.
    public var monitor: MonitorSettings
    /// The maximum number of sessions on the alias, over all routes; `nil`, the default, sets no limit.
    public var maxConnections: Int?
    /// The alias's share of new sessions, relative to the other aliases that share them; 1 by default.
    public var weight: Int

    public init(
        name: String, server: DatabaseServer, monitor: MonitorSettings = MonitorSettings(), maxConnections: Int? = nil,
        weight: Int = 1
    ) {
        self.name = name
        self.server = server
        self.monitor = monitor
        self.maxConnections = maxConnections
        self.weight = weight
    }
}

/// A service of `type: database`: listeners, and the aliases that serve their clients, in order.
public struct DatabaseRoute: Hashable, Sendable {
    /// The names of the aliases: those of `db_alias`, then the failover aliases in the order in which they are tried.
    /// There is at least one, no name occurs twice, and all have the same engine.
    public var aliases: [String]
    /// How many of the first ``aliases`` are those of `db_alias`, which share new sessions; 1 by default.
    public var preferredCount: Int
    /// How the aliases of `db_alias` share new sessions.
    public var balance: BalanceSettings
    /// If fewer aliases of `db_alias` than this can serve, new sessions go to the failover aliases first. With 1, the
    /// default, they do so only if none can serve.
    public var minReplicas: Int
    /// Whether an alias whose data is too old serves when no fresh alias is up; `true` by default.
    public var servesStale: Bool
    /// The largest fraction of the route's aliases, from 0 to 1, that new sessions try later because sessions suspect
    /// them; 0.5 by default.
    public var maxSuspectShare: Double
    /// The addresses that clients connect to; at least one. With port 0 the kernel chooses the port.
    public var listen: [Endpoint]
    /// The mode and the group of the Unix sockets in ``listen``; by default the umask and the process decide them.
    public var socketAccess: UnixSocketAccess
    /// The networks that clients may connect from; `nil`, the default, allows every client.
    public var allow: SourceNetworks?
    /// The maximum number of sessions of the route; `nil`, the default, sets no limit.
    public var maxConnections: Int?
    /// The maximum number of sessions of one source, an IPv4 address or a /64 of IPv6 addresses; `nil`, the default,
    /// sets no limit.
    public var maxConnectionsPerSource: Int?
    /// The maximum number of new sessions per second of one source; `nil`, the default, sets no limit.
    public var connectionRatePerSource: Int?
    /// TLS with clients, if it ends at the proxy; `nil`, the default, passes it through to the servers.
    public var clientTLS: ClientTLSSettings?
    /// How sessions of the route are treated.
    public var session: SessionSettings
    /// The kinds of backend errors that request a ping; by default all of them.
    public var errorTriggers: Set<BackendErrorKind>

    public init(
        aliases: [String],
        preferredCount: Int = 1,
        balance: BalanceSettings = BalanceSettings(),
        minReplicas: Int = 1,
        servesStale: Bool = true,
        maxSuspectShare: Double = 0.5,
        listen: [Endpoint],
        socketAccess: UnixSocketAccess = UnixSocketAccess(),
        allow: SourceNetworks? = nil,
        maxConnections: Int? = nil,
        maxConnectionsPerSource: Int? = nil,
        connectionRatePerSource: Int? = nil,
        clientTLS: ClientTLSSettings? = nil,
        session: SessionSettings = SessionSettings(),
        errorTriggers: Set<BackendErrorKind> = BackendErrorKind.defaultTriggers
    ) {
        self.aliases = aliases
        self.preferredCount = preferredCount
        self.balance = balance
        self.minReplicas = minReplicas
        self.servesStale = servesStale
        self.maxSuspectShare = maxSuspectShare
        self.listen = listen
        self.socketAccess = socketAccess
        self.allow = allow
        self.maxConnections = maxConnections
        self.maxConnectionsPerSource = maxConnectionsPerSource
        self.connectionRatePerSource = connectionRatePerSource
        self.clientTLS = clientTLS
        self.session = session
        self.errorTriggers = errorTriggers
    }

    /// The aliases of `db_alias`.
    public var ownAliases: ArraySlice<String> { aliases.prefix(preferredCount) }

    /// The failover aliases.
    public var failoverAliases: ArraySlice<String> { aliases.dropFirst(preferredCount) }
}
