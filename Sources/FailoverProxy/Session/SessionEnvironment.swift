import FailoverCore
import FailoverSystem
import FailoverTLS
import Logging
import Synchronization

/// State that the sessions of one loop share: configuration, routes, statistics and the observer. Only the loop's
/// thread uses it.
///
/// A session has access only to its loop and this environment, not to the ``Worker`` that owns both.
final class SessionEnvironment {
    let loop: EventLoop
    let log: Logger
    let registry: SessionRegistry
    /// The interface of the loop for other threads.
    let handle: WorkerHandle
    /// The current snapshot. The worker replaces it.
    var snapshot: ProxySnapshot
    /// The current route table. The worker replaces it.
    var routes: RouteTable
    var outages: Outages
    /// Statistics of ended sessions, and all single counters.
    var traffic: TrafficReport
    var throttles = LogThrottles()
    /// PostgreSQL aliases that need a statement to make a session read-only, and the time until which that is
    /// remembered.
    var needsStatement: [Int: UInt64] = [:]
    /// Watches peers that owe acknowledgements, by route.
    var watches: [PeerWatch] = []
    let memoryQueue: MemoryQueue
    /// TLS handshakes with clients, by route.
    var handshakes: [HandshakeQueue] = []
    /// Why TLS with the servers of MySQL sessions has failed, and when, by alias.
    var tlsFailures: [Int: (at: UInt64, failure: TLSFailure)] = [:]
    /// Steps of TLS handshakes in this round of events.
    var handshakeSteps = (round: UInt64(0), withClients: 0, withServers: 0)
    /// What the latest TLS session with each server has left for the next one.
    var resumptions: [ObjectIdentifier: TLSResumption] = [:]
    /// Connections to MySQL servers that are being ended.
    let aborts: MySQLAborts
    weak var mover: (any SessionMoving)?

    init(
        handle: WorkerHandle, snapshot: ProxySnapshot, routes: RouteTable, registry: SessionRegistry, log: Logger
    ) throws(SystemError) {
        loop = try EventLoop(mailbox: handle.mailbox.descriptor, buffers: registry.buffers)
        memoryQueue = MemoryQueue(loop: loop)
        aborts = MySQLAborts(loop: loop)
        self.handle = handle
        self.snapshot = snapshot
        self.routes = routes
        outages = Outages(routes, now: loop.now)
        traffic = TrafficReport(routes)
        self.registry = registry
        self.log = log
    }

    var configuration: ProxyConfiguration { snapshot.configuration }
    var observer: any ProxyObserver { snapshot.observer }

    /// The loop's current sessions.
    var sessions: [Session] { loop.everyTenant.compactMap { $0 as? Session } }

    /// A session of the loop has closed.
    func sessionEnded(_ session: Session) {
        handle.load.subtract(1, ordering: .relaxed)
        traffic.routes[session.route].add(bytesOf: session)
        registry.noteClosed()
    }
}

/// Moves sessions to a better alias.
protocol SessionMoving: AnyObject {
    /// An alias serves the session from now on.
    func served(_ session: Session)

    /// Moves the session, which is never idle, if it is at a boundary and the pace allows it.
    ///
    /// - Returns: whether it was moved.
    func moveBusy(_ session: Session) -> Bool

    /// Whether the server has said that the session, which the proxy cannot read, is at a boundary.
    func isAttested(_ session: Session) -> Bool
}

// MARK: - Which aliases a session tries

extension SessionEnvironment {
    /// The aliases that a new session of the route tries, in order, and its count at the balancer until it moves to
    /// another alias.
    func candidates(ofRoute route: Int) -> ([RouteTable.Candidate], BalanceShare?) {
        let candidates = snapshot.deadAddresses.ordered(routes.candidates(ofRoute: route), now: loop.now)
        guard !candidates.isEmpty, let balancer = snapshot.balancers[route] else { return (candidates, nil) }
        let sharing = routes.sharing(ofRoute: route)
        let (turned, share) = balancer.choose(candidates, sharing: sharing, now: loop.now)
        return (turned, share)
    }

    /// What the route requires of sessions on its failover aliases; `nil` if they may write.
    func readOnlyGuard(ofRoute route: Int) -> ReadOnlyGuard? {
        let settings = configuration.routes[route].session
        guard settings.failoverReadOnly else { return nil }
        return ReadOnlyGuard(
            routes, route: route, opaque: settings.readOnlyOpaque, byStatement: aliasesByStatement())
    }

    /// Aliases that are down, for a session that no other alias can serve.
    func lastResort(ofRoute route: Int) -> [RouteTable.Candidate] {
        snapshot.deadAddresses.ordered(outages.lastResort(ofRoute: route, in: routes, now: loop.now), now: loop.now)
    }

    /// The addresses of servers that may run the query of a cancel request, for clients of this or another route, and
    /// how the request is encrypted.
    func addressesToCancel(_ key: CancelKey, ofRoute route: Int) -> [(address: SocketAddress, tls: ServerTLS?)] {
        let isEncrypting = configuration.routes[route].clientTLS != nil
        return routes.aliases.indices.filter { alias in
            let mayServe = routes.routes[route].aliases.contains(alias) || routes.aliases[alias].isRetired
            return mayServe && (configuration.hasPredecessor || registry.cancelKeys.mayHold(key, alias: alias))
        }.flatMap { alias in
            let tls = isEncrypting ? serverTLS(ofAlias: alias) : nil
            return routes.aliases[alias].addresses.map { ($0, tls) }
        }
    }

    /// Counts the session for the alias that serves it, even if the balancer did not choose it.
    func joinBalancer(_ session: Session) {
        guard session.share == nil, session.holdsRoutePlace, let alias = session.machine.alias else { return }
        session.share = snapshot.balancers[session.route]?.join(alias)
    }

    /// Counts the sessions that began before their route had several aliases of its own.
    func joinBalancers() {
        guard snapshot.balancers.contains(where: { $0 != nil }) else { return }
        for session in sessions where !session.isLeaving { joinBalancer(session) }
    }

    /// The alias serves again.
    func noteReturn(of alias: Int) {
        for route in routes.routes(ofAlias: alias) { snapshot.balancers[route]?.rise(alias, now: loop.now) }
    }
}

// MARK: - Connection slots that sessions wait for

extension SessionEnvironment {
    /// Passes a connection slot that another session freed, on any loop, to the session that waits for it here.
    func waker(session: UInt64, slot: Int, line: Line) -> @Sendable () -> Void {
        { [handle] in handle.mailbox.post(.placeFound(session: session, slot: slot, line: line)) }
    }

    func placeFound(session id: UInt64, slot: Int, line: Line) {
        if let session = loop.tenant(slot: slot) as? Session, session.id == id, session.isQueued {
            return session.placeFound(in: line)
        }
        // In the meantime the session has left or has got another slot.
        switch line {
        case .route(let route): snapshot.routeConnectionLimits[route].leave()
        case .alias(let alias): snapshot.aliasConnectionLimits[alias].leave()
        }
    }
}

// MARK: - Peers

extension SessionEnvironment {
    /// Watches the session's peers from now on.
    func watch(_ session: Session, _ stalls: PeerStalls = PeerStalls()) {
        session.isToBeWatched = false
        watches[session.route].add(session, stalls)
    }

    /// Watches the peers of the route's sessions with these settings.
    func watchPeers(ofRoute route: Int, _ settings: SessionSettings) {
        if route == watches.count { watches.append(PeerWatch(loop: loop, settings: settings)) }
        let former = watches[route].settings
        guard
            (former.tcpUserTimeout, former.stallTimeout) != (settings.tcpUserTimeout, settings.stallTimeout)
                || former.keepalive != settings.keepalive
        else { return }
        watches[route].begin(settings)
        for session in sessions where session.route == route { session.watchPeersAnew() }
    }
}
