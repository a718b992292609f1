import FailoverCore

/// Aliases that serve side by side.
extension Worker {
    /// The aliases that a new session of the route tries, in order, and what it counts as until it has moved on.
    func candidates(ofRoute route: Int) -> ([RouteTable.Candidate], BalanceShare?) {
        let candidates = routes.candidates(ofRoute: route)
        guard !candidates.isEmpty, let balancer = lineup.balancers[route] else { return (candidates, nil) }
        let sharing = routes.sharing(ofRoute: route)
        let (turned, share) = balancer.choose(candidates, sharing: sharing, now: loop.now)
        return (turned, share)
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
