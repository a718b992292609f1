/// The alias or aliases that get the new sessions of a route, and the reason.
public struct RouteSelection: Hashable, Sendable {
    /// Why the alias serves.
    public enum Reason: Hashable, Sendable {
        /// The alias is one of the route's preferred ones.
        case preferred
        /// The aliases before it were passed over.
        case failover
        /// An operator switched the route to it.
        case pinned
        /// No alias can serve.
        case nothingUp
    }

    /// An alias that comes before the chosen one and was passed over.
    public struct Passed: Hashable, Sendable {
        /// Why the alias was passed over.
        public enum Reason: Hashable, Sendable {
            case down(PingFailure)
            /// An operator has drained the alias.
            case draining
            /// The data of the alias is too old.
            case stale(Staleness)
            case suspect
            /// The server refuses new sessions: it is full, or blocks this machine.
            case refusing(ServiceStanding.Availability)
            /// The alias could serve, but fewer preferred aliases than this number can.
            case belowMinReplicas(Int)
        }

        /// Position in ``RouteTable/aliases``.
        public let alias: Int
        public let reason: Reason

        public init(alias: Int, reason: Reason) {
            self.alias = alias
            self.reason = reason
        }
    }

    /// The alias that is first in the order, as a position in ``RouteTable/aliases``; `nil` if no alias may serve.
    public let alias: Int?
    /// The other aliases that share new sessions with ``alias``.
    public let others: [Int]
    public let reason: Reason
    /// The aliases that were passed over, in the route's order. While a stale alias serves because no fresh one can,
    /// these are all other aliases.
    public let passed: [Passed]

    /// All aliases that get new sessions.
    public var serving: [Int] { [alias].compactMap(\.self) + others }

    public init(alias: Int?, others: [Int] = [], reason: Reason, passed: [Passed] = []) {
        self.alias = alias
        self.others = others
        self.reason = reason
        self.passed = passed
    }
}

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
