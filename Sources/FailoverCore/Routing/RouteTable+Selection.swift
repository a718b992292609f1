/// Decides which alias serves a route, and gives the reason.
extension RouteTable {
    /// Which alias a new session tries first, and why.
    public func selection(ofRoute route: Int) -> RouteSelection {
        let order = orderByRoute[route]
        let serving = order.candidates.prefix(order.sharing).map(\.alias)
        guard let first = serving.first else {
            let reasons = order.preference.compactMap { reason(against: $0, onRoute: route) }
            return RouteSelection(alias: nil, reason: .nothingUp, passed: reasons)
        }
        if pin(ofRoute: route) == first { return RouteSelection(alias: first, reason: .pinned) }
        let passed = better(than: first, onRoute: route).filter { !serving.contains($0) }
            .compactMap { reason(against: $0, onRoute: route) }
        let preferred = routes[route].preferred
        let isPreferred =
            preferred.contains(first) && aliases[first].staleness == nil
            && passed.allSatisfy { preferred.contains($0.alias) }
        return RouteSelection(
            alias: first, others: Array(serving.dropFirst()), reason: isPreferred ? .preferred : .failover,
            passed: passed)
    }

    /// The name of the alias that serves the routes for which `alias` is a preferred one; the first one if several
    /// share a route. `nil` if there are no such routes, if no alias is up, or if different aliases serve these routes.
    public func servingAlias(insteadOf alias: Int) -> String? {
        let concerned = routes(ofAlias: alias).filter { routes[$0].preferred.contains(alias) && !routes[$0].isRetired }
        let serving = Set(concerned.map { selection(ofRoute: $0).alias })
        guard serving.count == 1, let only = serving.first, let index = only else { return nil }
        return aliases[index].name
    }

    /// The aliases that would serve instead if they could. While a stale alias serves, these are all aliases of the
    /// route.
    private func better(than first: Int, onRoute route: Int) -> [Int] {
        let order = orderByRoute[route]
        if aliases[first].staleness != nil { return order.preference }
        let before = order.preference.prefix { $0 != first }
        let preferred = routes[route].preferred
        guard preferred.contains(first) || order.isShort else { return Array(before) }
        return preferred + before.filter { !preferred.contains($0) }
    }

    private func reason(against alias: Int, onRoute route: Int) -> RouteSelection.Passed? {
        let state = aliases[alias]
        if let failure = state.failure { return .init(alias: alias, reason: .down(failure)) }
        if state.isDraining { return .init(alias: alias, reason: .draining) }
        if let staleness = state.staleness { return .init(alias: alias, reason: .stale(staleness)) }
        if state.refusesSessions { return .init(alias: alias, reason: .refusing(state.standing.availability)) }
        if state.isSuspect { return .init(alias: alias, reason: .suspect) }
        guard orderByRoute[route].isShort, routes[route].preferred.contains(alias) else { return nil }
        return .init(alias: alias, reason: .belowMinReplicas(routes[route].minReplicas))
    }
}
