/// Which alias serves a new session of each route now, and why. A value: each event loop holds a snapshot.
public struct RouteTable: Hashable, Sendable {
    public private(set) var aliases: [AliasState]
    public private(set) var routes: [Route]
    /// For each route the aliases to try, in order; kept so that a new session costs no decision.
    private var candidatesByRoute: [[Candidate]]
    /// For each route why it is closed, if so.
    private var closureByRoute: [Closure?]
    /// For each route the alias that an operator switched it to.
    private var pinByRoute: [Int?]

    /// Why a route takes no new sessions.
    public struct Closure: Hashable, Sendable {
        /// The service whose outage closes the route.
        public let service: String
        /// What its clients are told.
        public let message: String

        public init(service: String, message: String) {
            self.service = service
            self.message = message
        }
    }

    /// An alias that may serve a new session, and where it is.
    public struct Candidate: Hashable, Sendable {
        /// Position in ``RouteTable/aliases``.
        public let alias: Int
        public let addresses: [SocketAddress]

        public init(alias: Int, addresses: [SocketAddress]) {
            self.alias = alias
            self.addresses = addresses
        }
    }

    public init(aliases: [AliasState], routes: [Route]) {
        self.aliases = aliases
        self.routes = routes
        closureByRoute = routes.map { _ in nil }
        pinByRoute = routes.map { _ in nil }
        candidatesByRoute = []
        candidatesByRoute = routes.indices.map(candidates(ofRouteAt:))
    }

    /// The route's aliases in the order of preference: the one that an operator switched it to, then as configured.
    public func order(ofRoute route: Int) -> [Int] {
        guard let pin = pinByRoute[route] else { return routes[route].aliases }
        return [pin] + routes[route].aliases.filter { $0 != pin }
    }

    /// The alias that an operator switched the route to, if so.
    public func pin(ofRoute route: Int) -> Int? { pinByRoute[route] }

    /// The aliases that a new session tries, in order: those up, then those up but suspect, then those that are stale,
    /// if the route serves such. Never one that is drained. Empty when there is none.
    public func candidates(ofRoute route: Int) -> [Candidate] { candidatesByRoute[route] }

    /// Why the route takes no new sessions; `nil` while it does.
    public func closure(ofRoute route: Int) -> Closure? { closureByRoute[route] }

    /// Which alias a new session gets first, and why.
    public func selection(ofRoute route: Int) -> RouteSelection {
        let order = order(ofRoute: route)
        guard let first = candidatesByRoute[route].first?.alias else {
            return RouteSelection(alias: nil, reason: .nothingUp, passed: order.compactMap(passed))
        }
        if pinByRoute[route] == first { return RouteSelection(alias: first, reason: .pinned) }
        if aliases[first].staleness != nil {
            let others = order.filter { $0 != first }.compactMap(passed)
            return RouteSelection(alias: first, reason: .failover, passed: others)
        }
        let passed = order.prefix { $0 != first }.compactMap(passed)
        return RouteSelection(alias: first, reason: passed.isEmpty ? .preferred : .failover, passed: passed)
    }

    /// Name of the alias that serves the routes that prefer `alias`; `nil` when there are none, when nothing is up, or when
    /// those routes have come to different aliases.
    public func servingAlias(insteadOf alias: Int) -> String? {
        let concerned = routes.indices.filter { routes[$0].aliases.first == alias && !routes[$0].isRetired }
        let serving = Set(concerned.map { selection(ofRoute: $0).alias })
        guard serving.count == 1, let only = serving.first, let index = only else { return nil }
        return aliases[index].name
    }

    mutating func update(alias: Int, _ change: (inout AliasState) -> Void) {
        change(&aliases[alias])
        for (index, route) in routes.enumerated() where route.aliases.contains(alias) {
            candidatesByRoute[index] = candidates(ofRouteAt: index)
        }
    }

    /// Has these aliases and routes from now on. Those that were there keep their positions, and what is known of them;
    /// a route whose pin it has no longer is released.
    mutating func change(aliases: [AliasState], routes: [Route]) {
        precondition(aliases.count >= self.aliases.count && routes.count >= self.routes.count)
        self.aliases =
            zip(self.aliases, aliases).map { $0.changed(to: $1) } + aliases.dropFirst(self.aliases.count)
        let added = routes.count - self.routes.count
        self.routes = routes
        closureByRoute += Array(repeating: nil, count: added)
        pinByRoute += Array(repeating: nil, count: added)
        for (index, route) in routes.enumerated() {
            guard let pin = pinByRoute[index], route.isRetired || !route.aliases.contains(pin) else { continue }
            pinByRoute[index] = nil
        }
        candidatesByRoute = routes.indices.map(candidates(ofRouteAt:))
    }

    mutating func pin(route: Int, to alias: Int?) {
        pinByRoute[route] = alias
        candidatesByRoute[route] = candidates(ofRouteAt: route)
    }

    /// These routes are closed; of several closures of a route the first is told.
    mutating func replaceClosures(_ closures: [(route: Int, closure: Closure)]) {
        closureByRoute = routes.map { _ in nil }
        for (route, closure) in closures { closureByRoute[route] = closureByRoute[route] ?? closure }
    }

    private func candidates(ofRouteAt route: Int) -> [Candidate] {
        let usable = order(ofRoute: route).filter { aliases[$0].outage == nil && !aliases[$0].isLeaving }
        // Who switches a route to a stale alias wants it.
        let fresh = usable.filter { aliases[$0].staleness == nil || $0 == pinByRoute[route] }
        let stale = routes[route].servesStale ? usable.filter { !fresh.contains($0) } : []
        let ordered = fresh.filter { !aliases[$0].isSuspect } + fresh.filter { aliases[$0].isSuspect } + stale
        return ordered.map { Candidate(alias: $0, addresses: aliases[$0].addresses) }
    }

    private func passed(_ alias: Int) -> RouteSelection.Passed? {
        let state = aliases[alias]
        if let outage = state.outage { return .init(alias: alias, reason: .down(outage)) }
        if state.isDraining { return .init(alias: alias, reason: .draining) }
        if let staleness = state.staleness { return .init(alias: alias, reason: .stale(staleness)) }
        return state.isSuspect ? .init(alias: alias, reason: .suspect) : nil
    }
}
