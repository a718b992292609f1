public import FailoverCore
public import FailoverSystem

/// A named database server, as in Django's `DATABASES`: one entry of `databases`.
public struct DatabaseAlias: Hashable, Sendable {
    /// Letters, digits, `_`, `.` and `-`.
    public var name: String
    /// The server, and how a ping logs in to it.
    public var server: DatabaseServer
    /// How it is monitored. The settings of services whose `db_alias` it is override its own, which override the top
    /// level's.
    public var monitor: MonitorSettings
    /// Sessions that the proxy may hold on the alias, over all routes; `nil`, the default, is no limit.
    public var maxConnections: Int?
    /// The alias's share of the sessions that several aliases serve side by side, relative to theirs; 1 by default.
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

/// Listeners and the ordered aliases that may serve their clients: a service of `type: database`.
public struct DatabaseRoute: Hashable, Sendable {
    /// The aliases of `db_alias`, then the failover aliases in the order in which they are tried. At least one, no
    /// duplicates, all of one engine.
    public var aliases: [String]
    /// The number of ``aliases``, from the first, that are those of `db_alias` and serve side by side; 1 by default.
    public var preferredCount: Int
    /// How the aliases of `db_alias` share sessions.
    public var balance: BalanceSettings
    /// If fewer aliases of `db_alias` are fit to serve, new sessions go to the failover aliases first. With 1, the
    /// default, they do so only if none is fit.
    public var minReplicas: Int
    /// Whether an alias whose data is too old serves when no fresh alias is up; `true` by default.
    public var servesStale: Bool
    /// The largest share of the route's aliases, from 0 to 1, that new sessions try later because sessions suspect
    /// them; 0.5 by default.
    public var maxSuspectShare: Double
    /// Where clients connect; at least one. Port 0 lets the kernel choose.
    public var listen: [Endpoint]
    /// The mode and the group of the Unix sockets in ``listen``; by default as the umask leaves them.
    public var socketAccess: UnixSocketAccess
    /// The networks that clients may connect from; `nil`, the default, allows every client.
    public var allow: SourceNetworks?
    /// Sessions that the route may hold; `nil`, the default, is no limit.
    public var maxConnections: Int?
    /// Sessions that one client address, or one /64 of IPv6 addresses, may hold; `nil`, the default, is no limit.
    public var maxConnectionsPerSource: Int?
    /// New sessions per second of one client address; `nil`, the default, is no limit.
    public var connectionRatePerSource: Int?
    /// How its sessions are treated.
    public var session: SessionSettings
    /// The observed errors that request a ping.
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
        self.session = session
        self.errorTriggers = errorTriggers
    }

    /// The aliases of `db_alias`.
    public var ownAliases: ArraySlice<String> { aliases.prefix(preferredCount) }

    /// The failover aliases.
    public var failoverAliases: ArraySlice<String> { aliases.dropFirst(preferredCount) }
}
