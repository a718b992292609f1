package import FailoverCore
package import FailoverSystem

/// What the data plane needs to know.
package struct ProxyConfiguration: Sendable {
    /// In the order of ``RouteTable/routes``.
    package var routes: [ProxyRoute]
    /// Sessions that each alias may serve, in the order of ``RouteTable/aliases``; `nil` is no limit.
    package var aliasLimits: [Int?]
    /// What part of the sessions that aliases share each gets, in the same order; 1 for those that are not there.
    package var aliasWeights: [Int]
    /// How long each alias may take for its first answer when nobody else is left to ask, in the same order; where there
    /// is none, or a shorter one, ``SessionSettings/greetingTimeout``. `ping_timeout`.
    package var aliasAnswerTimeouts: [Duration]
    /// Event loops, each on a thread of its own; at least 1.
    package var workers: Int
    /// Bytes that all sessions together may keep because a peer has no room for them; `nil` is no limit.
    /// `max_buffer_memory`, 256 MiB.
    package var maxBufferMemory: Int?
    /// Whether another process may still serve sessions of these routes, whose cancel requests come here.
    package var hasPredecessor: Bool

    package init(
        routes: [ProxyRoute], aliasLimits: [Int?], aliasWeights: [Int] = [], aliasAnswerTimeouts: [Duration] = [],
        workers: Int, maxBufferMemory: Int? = 256 << 20, hasPredecessor: Bool = false
    ) {
        self.routes = routes
        self.aliasLimits = aliasLimits
        self.aliasWeights = aliasWeights
        self.aliasAnswerTimeouts = aliasAnswerTimeouts
        self.workers = max(1, workers)
        self.maxBufferMemory = maxBufferMemory
        self.hasPredecessor = hasPredecessor
    }
}

/// A route as the proxy serves it: where clients come in, and how their sessions are treated.
package struct ProxyRoute: Sendable {
    package var name: String
    /// The protocol of its servers.
    package var engine: DatabaseServer.Engine
    /// Addresses to listen on.
    package var listen: [SocketAddress]
    /// Who may connect where it listens on Unix sockets.
    package var socketAccess: UnixSocketAccess
    /// Where clients may come from; `nil` is everywhere.
    package var allow: SourceNetworks?
    /// Open sessions that the route may have; `nil` is no limit.
    package var maxConnections: Int?
    /// Open sessions that one source may have, an IPv4 address or the /64 of an IPv6 one; `nil` is no limit.
    package var maxConnectionsPerSource: Int?
    /// New sessions a second of one source; `nil` is no limit.
    package var connectionRatePerSource: Int?
    package var session: SessionSettings
    /// How its sessions are shared among its own aliases; `nil`, the default, where there is only one.
    package var balance: BalanceSettings?

    package init(
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

/// Who is told what the data plane sees. Called on event loops: it must not wait.
package protocol ProxyObserver: Sendable {
    /// A client of the route arrived.
    func sessionArrived(route: Int)
    /// An alias, by its position in ``RouteTable/aliases``, is worth a look, and nobody is accused: a session waits for it
    /// longer than it should have to, or it ended one for a reason that may be the client's.
    func backendIsDoubtful(alias: Int)
    /// An alias that is down serves a session, which was given to it as the last resort.
    func backendServed(alias: Int)
    /// A session of the route saw its backend fail.
    func backendFailed(_ failure: BackendFailure, route: Int)
}

/// An error of a backend that a session saw.
package struct BackendFailure: Hashable, Sendable {
    package let kind: BackendErrorKind
    /// Position in ``RouteTable/aliases``.
    package let alias: Int
    /// The number of the session, as in ``SessionReport/id``.
    package let session: UInt64
    /// `127.0.0.1:5433: Connection refused`.
    package let detail: String
}
