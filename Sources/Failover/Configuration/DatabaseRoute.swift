public import FailoverCore
public import FailoverProxy

/// Listeners and the ordered aliases that may serve their clients: what a service of `type: database` says.
public struct DatabaseRoute: Hashable, Sendable {
    /// `db_alias`, then the failover aliases in the order they are tried. At least one, none twice, all of one engine.
    public var aliases: [String]
    /// Whether an alias whose data is too old serves when no fresh one is up; not by default.
    public var servesStale: Bool
    /// Where clients connect; at least one. Port 0 lets the kernel choose.
    public var listen: [Endpoint]
    /// Where clients may come from; `nil`, the default, is everywhere.
    public var allow: SourceNetworks?
    /// Sessions that the route may hold; `nil`, the default, is no limit.
    public var maxConnections: Int?
    /// How its sessions are treated.
    public var session: SessionSettings
    /// The observed errors that ask for a ping.
    public var errorTriggers: Set<BackendErrorKind>

    public init(
        aliases: [String],
        servesStale: Bool = false,
        listen: [Endpoint],
        allow: SourceNetworks? = nil,
        maxConnections: Int? = nil,
        session: SessionSettings = SessionSettings(),
        errorTriggers: Set<BackendErrorKind> = BackendErrorKind.defaultTriggers
    ) {
        self.aliases = aliases
        self.servesStale = servesStale
        self.listen = listen
        self.allow = allow
        self.maxConnections = maxConnections
        self.session = session
        self.errorTriggers = errorTriggers
    }
}
