import FailoverCore

/// What the loop's sessions have done: counted as they begin and end, and added up when somebody asks. Bytes that pass
/// cost nothing here.
extension Worker {
    /// All of it, with the sessions that are open.
    func trafficReport(askedAt: UInt64) -> TrafficReport {
        var report = traffic
        for case let session as Session in loop.everyTenant {
            report.routes[session.route].add(bytesOf: session)
            if session.isQueued { report.routes[session.route].queued += 1 }
            guard session.machine.isRelaying, let alias = session.machine.alias else { continue }
            report.routes[session.route].open[alias, default: 0] += 1
        }
        report.lag = [loop.now &- min(askedAt, loop.now)]
        return report
    }

    /// Those of this loop, lowest numbers first.
    func sessions(_ query: SessionQuery) -> [SessionReport] {
        let wanted = loop.everyTenant.compactMap { $0 as? Session }
            .filter { $0.id > query.after && (query.route == nil || $0.route == query.route) }
        return wanted.sorted { $0.id < $1.id }.prefix(query.limit).map { session in
            SessionReport(
                id: session.id, route: session.route, alias: session.machine.alias, client: session.clientName,
                age: .nanoseconds(loop.now &- session.startedAt), idle: .nanoseconds(loop.now &- session.lastActivity),
                fromClient: session.toBackend.received, fromBackend: session.toClient.received,
                isAtBoundary: session.stream.isReadable ? session.stream.isAtBoundary : nil)
        }
    }
}

extension TrafficReport.OfRoute {
    mutating func add(bytesOf session: Session) {
        fromClients &+= session.toBackend.received
        fromBackends &+= session.toClient.received
    }
}

/// How servers are left that have not let the client in.
extension Worker {
    /// Connections that are left in order at a time; those beyond are closed.
    private static let mostDepartures = 128
    /// For a server's answer to a login that it is to refuse, in nanoseconds; at the process's end.
    private static let abortTimeout: UInt64 = 5_000_000_000
    private static let lastAbortTimeout: UInt64 = 1_000_000_000

    /// Leaves a MySQL server so that it counts nothing against this host.
    func depart(from backend: consuming Descriptor, _ login: MySQLRefusedLogin) {
        guard departures < Self.mostDepartures else { return }
        departures += 1
        MySQLAbort(loop: loop, backend: backend, login: login) { [self] in
            departures -= 1
            if departures == 0, isEnding == .whenAllHaveLeft { loop.stop() }
        }.start(deadline: loop.now &+ (isEnding == nil ? Self.abortTimeout : Self.lastAbortTimeout))
    }

    /// Ends all sessions, with words where their protocol has a place for them: the process ends.
    func closeSessions() {
        isEnding = .soon
        hurryDepartures()
        for case let session as Session in loop.everyTenant { session.shutDown() }
    }

    /// Ends the loop, as soon as servers have been left in order.
    func stop() {
        isEnding = .whenAllHaveLeft
        hurryDepartures()
        if departures == 0 { loop.stop() }
    }

    private func hurryDepartures() {
        for case let departure as MySQLAbort in loop.everyTenant {
            departure.hurry(deadline: loop.now &+ Self.lastAbortTimeout)
        }
    }
}

/// Aliases that serve side by side.
extension Worker {
    /// The aliases that a new session of the route tries, in order, and what it counts as until it has moved on.
    func candidates(ofRoute route: Int) -> ([RouteTable.Candidate], BalanceShare?) {
        let candidates = snapshot.deadAddresses.ordered(routes.candidates(ofRoute: route), now: loop.now)
        guard !candidates.isEmpty, let balancer = snapshot.balancers[route] else { return (candidates, nil) }
        let sharing = routes.sharing(ofRoute: route)
        let (turned, share) = balancer.choose(candidates, sharing: sharing, now: loop.now)
        return (turned, share)
    }

    /// Aliases that are down, for a session that nobody else can serve.
    func lastResort(ofRoute route: Int) -> [RouteTable.Candidate] {
        snapshot.deadAddresses.ordered(outages.lastResort(ofRoute: route, in: routes, now: loop.now), now: loop.now)
    }

    /// The session counts for the alias that serves it, whether or not that was chosen for it.
    func joinBalancer(_ session: Session) {
        guard session.share == nil, session.holdsRoutePlace, let alias = session.machine.alias else { return }
        session.share = snapshot.balancers[session.route]?.join(alias)
    }

    /// The alias serves again.
    func noteReturn(of alias: Int) {
        for route in routes.routes(ofAlias: alias) { snapshot.balancers[route]?.rise(alias, now: loop.now) }
    }

    /// Sessions that were there before their route had several aliases of its own count too.
    func joinBalancers() {
        guard snapshot.balancers.contains(where: { $0 != nil }) else { return }
        for case let session as Session in loop.everyTenant where session.share == nil {
            guard session.holdsRoutePlace, !session.isLeaving, let alias = session.machine.alias else { continue }
            session.share = snapshot.balancers[session.route]?.join(alias)
        }
    }
}
