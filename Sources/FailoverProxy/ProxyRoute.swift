public import FailoverCore

/// A route as the proxy serves it: where clients come in, and how their sessions are treated.
public struct ProxyRoute: Sendable {
    public var name: String
    /// The protocol of its servers.
    public var engine: DatabaseServer.Engine
    /// Addresses to listen on.
    public var listen: [SocketAddress]
    /// Who may connect where it listens on Unix sockets.
    public var socketAccess: UnixSocketAccess
    /// Where clients may come from; `nil` is everywhere.
    public var allow: SourceNetworks?
    /// Open sessions that the route may have; `nil` is no limit.
    public var maxConnections: Int?
    /// Open sessions that one source may have, an IPv4 address or the /64 of an IPv6 one; `nil` is no limit.
    public var maxConnectionsPerSource: Int?
    /// New sessions a second of one source; `nil` is no limit.
    public var connectionRatePerSource: Int?
    public var session: SessionSettings
    /// How its sessions are shared among its own aliases; `nil`, the default, where there is only one.
    public var balance: BalanceSettings?

    public init(
        name: String, engine: DatabaseServer.Engine, listen: [SocketAddress],
        socketAccess: UnixSocketAccess = UnixSocketAccess(), allow: SourceNetworks? = nil,
        maxConnections: Int? = nil, maxConnectionsPerSource: Int? = nil, connectionRatePerSource: Int? = nil,
        session: SessionSettings = SessionSettings(), balance: BalanceSettings? = nil
    ) {
        self.name = name
        self.engine = engine
        self.listen = listen
        self.socketAccess = socketAccess
        self.allow = allow
        self.maxConnections = maxConnections
        self.maxConnectionsPerSource = maxConnectionsPerSource
        self.connectionRatePerSource = connectionRatePerSource
        self.session = session
        self.balance = balance
    }
}

extension ProxyRoute {
    /// What one source of its clients may have.
    var sourceLimit: SourceLimit { SourceLimit(sessions: maxConnectionsPerSource, rate: connectionRatePerSource) }
}

/// The mode and the group of the file of a Unix socket that a route listens on.
public struct UnixSocketAccess: Hashable, Sendable {
    /// Bits as of chmod(2), 0o777 at most; `nil` is as the umask leaves it. `listen_mode`.
    public var mode: UInt32?
    /// A name, or a number in digits; `nil` is the process's. `listen_group`.
    public var group: String?

    public init(mode: UInt32? = nil, group: String? = nil) {
        self.mode = mode
        self.group = group
    }
}
