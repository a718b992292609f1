import FailoverCore

/// Aliases that serve side by side.
extension Worker {
    /// The aliases that a new session of the route tries, in order, and what it counts as until it has moved on.
    func candidates(ofRoute route: Int) -> ([RouteTable.Candidate], BalanceShare?) {
        let candidates = lineup.deadAddresses.ordered(routes.candidates(ofRoute: route), now: loop.now)
        guard !candidates.isEmpty, let balancer = lineup.balancers[route] else { return (candidates, nil) }
        let sharing = routes.sharing(ofRoute: route)
        let (turned, share) = balancer.choose(candidates, sharing: sharing, now: loop.now)
        return (turned, share)
    }

    /// Aliases that are down, for a session that nobody else can serve.
    func lastResort(ofRoute route: Int) -> [RouteTable.Candidate] {
        lineup.deadAddresses.ordered(outages.lastResort(ofRoute: route, in: routes, now: loop.now), now: loop.now)
    }

    /// The session counts for the alias that serves it, whether or not that was chosen for it.
    func joinBalancer(_ session: Session) {
        guard session.share == nil, session.holdsRoutePlace, let alias = session.machine.alias else { return }
        session.share = lineup.balancers[session.route]?.join(alias)
    }

    /// The alias serves again.
    func noteReturn(of alias: Int) {
        for balancer in lineup.balancers { balancer?.rise(alias, now: loop.now) }
    }

    /// Sessions that were there before their route had several aliases of its own count too.
    func joinBalancers() {
        guard lineup.balancers.contains(where: { $0 != nil }) else { return }
        for case let session as Session in loop.everyTenant where session.share == nil {
            guard session.holdsRoutePlace, !session.isLeaving, let alias = session.machine.alias else { continue }
            session.share = lineup.balancers[session.route]?.join(alias)
        }
    }
}
