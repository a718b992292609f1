package import FailoverCore
package import FailoverSystem
package import FailoverTLS

/// The configuration of the data plane.
package struct ProxyConfiguration: Sendable {
    /// The routes, in the order of ``RouteTable/routes``.
    package var routes: [ProxyRoute]
    /// The maximum number of sessions of each alias, in the order of ``RouteTable/aliases``; `nil` is no limit.
    package var aliasLimits: [Int?]
    /// The weight of each alias among aliases that serve side by side, in the same order; 1 where missing.
    package var aliasWeights: [Int]
    /// `ping_timeout`: the time limit for each alias's first answer when no other alias is left, in the same order. If
    /// it is missing or shorter, ``SessionSettings/greetingTimeout`` applies.
    package var aliasAnswerTimeouts: [Duration]
    /// How the proxy encrypts its connections to each possible server of each alias, for routes with
    /// ``ProxyRoute/clientTLS``, in the same order; clear text where missing.
    package var aliasTLS: [[Endpoint: ServerTLS]]
    /// The number of event loops, each on a thread of its own; at least 1.
    package var workers: Int
    /// `max_buffer_memory`: the number of bytes that all sessions together may buffer for peers that are slow to read;
    /// `nil` is no limit; default: 256 MiB.
    package var maxBufferMemory: Int?
    /// Whether another process may still serve sessions of these routes. Cancel requests for them arrive here.
    package var hasPredecessor: Bool

    package init(
        routes: [ProxyRoute], aliasLimits: [Int?], aliasWeights: [Int] = [], aliasAnswerTimeouts: [Duration] = [],
        aliasTLS: [[Endpoint: ServerTLS]] = [], workers: Int, maxBufferMemory: Int? = 256 << 20,
        hasPredecessor: Bool = false
    ) {
        self.routes = routes
        self.aliasLimits = aliasLimits
        self.aliasWeights = aliasWeights
        self.aliasAnswerTimeouts = aliasAnswerTimeouts
        self.aliasTLS = aliasTLS
        self.workers = max(1, workers)
        self.maxBufferMemory = maxBufferMemory
        self.hasPredecessor = hasPredecessor
    }
}

/// A route of the proxy: its listeners and how it treats sessions.
package struct ProxyRoute: Sendable {
    package var name: String
    /// The protocol of its servers.
    package var engine: DatabaseServer.Engine
    /// Addresses to listen on.
    package var listen: [SocketAddress]
    /// Mode and group of its Unix sockets.
    package var socketAccess: UnixSocketAccess
    /// Networks that clients may connect from; `nil` is all networks.
    package var allow: SourceNetworks?
    /// Maximum number of open sessions of the route; `nil` is no limit.
    package var maxConnections: Int?
    /// Maximum number of open sessions of one source, an IPv4 address or an IPv6 /64; `nil` is no limit.
    package var maxConnectionsPerSource: Int?
    /// Maximum number of new sessions per second of one source; `nil` is no limit.
    package var connectionRatePerSource: Int?
    package var session: SessionSettings
    /// TLS with clients, if it ends at the proxy; `nil` (default) if it passes through.
    package var clientTLS: ClientTLS?
    /// How sessions are distributed among the route's own aliases; `nil` (default) if there is only one alias.
    package var balance: BalanceSettings?

    package init(
        name: String, engine: DatabaseServer.Engine, listen: [SocketAddress],
        socketAccess: UnixSocketAccess = UnixSocketAccess(), allow: SourceNetworks? = nil,
        maxConnections: Int? = nil, maxConnectionsPerSource: Int? = nil, connectionRatePerSource: Int? = nil,
        session: SessionSettings = SessionSettings(), clientTLS: ClientTLS? = nil, balance: BalanceSettings? = nil
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
        self.clientTLS = clientTLS
        self.balance = balance
    }
}

/// TLS with the clients of a route, which ends at the proxy.
package struct ClientTLS: Sendable {
    package let context: TLSContext
    /// Whether clients in clear text are refused.
    package let isRequired: Bool
    /// How many handshakes may be in progress, on all loops; further clients wait.
    package let maxHandshakes: Int
    /// How long a handshake may take while other clients wait.
    package let longestHandshake: Duration

    package init(
        context: TLSContext, isRequired: Bool, maxHandshakes: Int = 128, longestHandshake: Duration = .seconds(2)
    ) {
        self.context = context
        self.isRequired = isRequired
        self.maxHandshakes = max(1, maxHandshakes)
        self.longestHandshake = longestHandshake
    }
}

/// TLS with a server, which the proxy begins.
package struct ServerTLS: Sendable {
    package let context: TLSContext
    /// Whether a server without TLS is not used.
    package let isRequired: Bool

    package init(context: TLSContext, isRequired: Bool) {
        self.context = context
        self.isRequired = isRequired
    }
}

extension ProxyRoute {
    /// What the handshake asks of clients.
    var clientEncryption: ClientEncryption? { clientTLS.map { $0.isRequired ? .required : .offered } }

    /// The limits of one client source.
    var sourceLimit: SourceLimit { SourceLimit(sessions: maxConnectionsPerSource, rate: connectionRatePerSource) }
}

/// Receives what the data plane observes. The methods are called on event loops and must not block.
package protocol ProxyObserver: Sendable {
    /// A client of the route has connected.
    func sessionArrived(route: Int)
    /// An alias, by its position in ``RouteTable/aliases``, should be pinged. This is not a report of a failure: a
    /// session waits for the alias longer than usual, or the alias ended a session in a way that the client may have
    /// caused.
    func backendIsDoubtful(alias: Int)
    /// An alias that is down serves a session, which tried it as a last resort.
    func backendServed(alias: Int)
    /// The backend of one of the route's sessions failed.
    func backendFailed(_ failure: BackendFailure, route: Int)
    /// Sessions that the proxy cannot read wait to be moved. Their server should be asked which of them are at a
    /// transaction boundary.
    func boundariesWanted(_ question: BoundaryQuestion)
}

/// A backend error that a session observed.
package struct BackendFailure: Hashable, Sendable {
    package let kind: BackendErrorKind
    /// The position in ``RouteTable/aliases``.
    package let alias: Int
    /// The number of the session, as in ``SessionReport/id``.
    package let session: UInt64
    /// For example `127.0.0.1:5433: Connection refused`.
    package let detail: String
}

/// A question to the server that serves an alias's sessions: which of them are at a transaction boundary?
package struct BoundaryQuestion: Sendable {
    /// The position in ``RouteTable/aliases``.
    package let alias: Int
    /// The address that serves the sessions.
    package let server: SocketAddress
    /// The sessions, by the address from which the proxy is connected to the server.
    package let sessions: [SocketAddress]
    /// Takes the answer. Must be called once.
    package let answer: @Sendable (BoundaryReply) -> Void

    package init(
        alias: Int, server: SocketAddress, sessions: [SocketAddress],
        answer: @escaping @Sendable (BoundaryReply) -> Void
    ) {
        self.alias = alias
        self.server = server
        self.sessions = sessions
        self.answer = answer
    }
}

/// The answer to a ``BoundaryQuestion``.
package enum BoundaryReply: Hashable, Sendable {
    /// Those of the question's sessions that are at a transaction boundary.
    case told(Set<SocketAddress>)
    /// The server was not asked, because it is being asked already, or was a moment ago.
    case later
    /// The server does not tell.
    case untold
}
