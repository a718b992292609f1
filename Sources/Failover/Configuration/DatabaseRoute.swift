public import FailoverCore
public import FailoverProxy

/// Listeners and the ordered aliases that may serve their clients: what a service of `type: database` says.
public struct DatabaseRoute: Hashable, Sendable {
    /// Those of `db_alias`, then the failover aliases in the order they are tried. At least one, none twice, all of one
    /// engine.
    public var aliases: [String]
    /// So many of the first ``aliases`` are those of `db_alias`, which serve side by side; 1 by default.
    public var ownCount: Int
    /// How sessions are shared among them.
    public var balance: BalanceSettings
    /// With fewer of them fit to serve the failover aliases come first; 1, the default, is with none.
    public var minReplicas: Int
    /// Whether an alias whose data is too old serves when no fresh one is up; it does by default.
    public var servesStale: Bool
    /// The largest part of its aliases, from 0 to 1, that new sessions try later because sessions suspect them; half of them
    /// by default.
    public var maxSuspectShare: Double
    /// Where clients connect; at least one. Port 0 lets the kernel choose.
    public var listen: [Endpoint]
    /// Who may connect to those of ``listen`` that are Unix sockets; by default as the umask has it.
    public var socketAccess: UnixSocketAccess
    /// Where clients may come from; `nil`, the default, is everywhere.
    public var allow: SourceNetworks?
    /// Sessions that the route may hold; `nil`, the default, is no limit.
    public var maxConnections: Int?
    /// Sessions that one client address may hold, the /64 of an IPv6 one; `nil`, the default, is no limit.
    public var maxConnectionsPerSource: Int?
    /// New sessions a second of one client address; `nil`, the default, is no limit.
    public var connectionRatePerSource: Int?
    /// How its sessions are treated.
    public var session: SessionSettings
    /// The observed errors that ask for a ping.
    public var errorTriggers: Set<BackendErrorKind>

    public init(
        aliases: [String],
        ownCount: Int = 1,
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
        self.ownCount = ownCount
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

    /// Those of `db_alias`.
    public var ownAliases: ArraySlice<String> { aliases.prefix(ownCount) }

    /// The failover aliases.
    public var failoverAliases: ArraySlice<String> { aliases.dropFirst(ownCount) }
}
