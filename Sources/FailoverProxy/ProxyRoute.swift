public import FailoverCore

/// A route as the proxy serves it: where clients come in, and how their sessions are treated.
public struct ProxyRoute: Sendable {
    public var name: String
    /// The protocol of its servers.
    public var engine: DatabaseServer.Engine
    /// Addresses to listen on.
    public var listen: [SocketAddress]
    /// Where clients may come from; `nil` is everywhere.
    public var allow: SourceNetworks?
    /// Open sessions that the route may have; `nil` is no limit.
    public var maxConnections: Int?
    public var session: SessionSettings
    /// How its sessions are shared among its own aliases; `nil`, the default, where there is only one.
    public var balance: BalanceSettings?

    public init(
        name: String, engine: DatabaseServer.Engine, listen: [SocketAddress], allow: SourceNetworks? = nil,
        maxConnections: Int? = nil, session: SessionSettings = SessionSettings(), balance: BalanceSettings? = nil
    ) {
        self.name = name
        self.engine = engine
        self.listen = listen
        self.allow = allow
        self.maxConnections = maxConnections
        self.session = session
        self.balance = balance
    }
}
