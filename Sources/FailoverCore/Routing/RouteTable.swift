/// The aliases and routes, and the order in which a new session of each route tries the aliases. This is a value type,
/// and each event loop has a copy.
public struct RouteTable: Hashable, Sendable {
    public private(set) var aliases: [AliasState]
    public private(set) var routes: [Route]
    /// The order of each route, stored so that a new session needs no decision.
    private(set) var orderByRoute: [RouteOrder]
    /// For each route, why it is closed; `nil` if it is open.
    private var closureByRoute: [Closure?]
    /// For each route, the alias that an operator switched it to; `nil` if none.
    private var pinByRoute: [Int?]
    /// For each alias, the routes that use it.
    private var routesByAlias: [[Int]]

    /// Why a route takes no new sessions.
    public struct Closure: Hashable, Sendable {
        /// The service whose outage closes the route.
        public let service: String
        /// The message for clients.
        public let message: String

        public init(service: String, message: String) {
            self.service = service
            self.message = message
        }
    }

    /// An alias that may serve a new session, and its addresses.
    public struct Candidate: Hashable, Sendable {
        /// Position in ``RouteTable/aliases``.
        public let alias: Int
        public let addresses: [SocketAddress]

        public init(alias: Int, addresses: [SocketAddress]) {
            self.alias = alias
            self.addresses = addresses
        }
    }

    /// Positions of routes and aliases.
    package struct Positions: Hashable, Sendable {
        package var routes: Set<Int>
        package var aliases: Set<Int>

        package init(routes: Set<Int> = [], aliases: Set<Int> = []) {
            self.routes = routes
            self.aliases = aliases
        }

        package mutating func formUnion(_ other: Positions) {
            routes.formUnion(other.routes)
            aliases.formUnion(other.aliases)
        }
    }

    public init(aliases: [AliasState], routes: [Route]) {
        self.aliases = aliases
        self.routes = routes
        closureByRoute = routes.map { _ in nil }
        pinByRoute = routes.map { _ in nil }
        orderByRoute = routes.map { RouteOrder(of: $0, pin: nil, among: aliases) }
        routesByAlias = Self.routesByAlias(routes, aliasCount: aliases.count)
    }

    private static func routesByAlias(_ routes: [Route], aliasCount: Int) -> [[Int]] {
        var result = Array(repeating: [Int](), count: aliasCount)
        for (index, route) in routes.enumerated() {
            for alias in Set(route.aliases) { result[alias].append(index) }
        }
        return result
    }

    /// The routes that use the alias, including retired ones.
    package func routes(ofAlias alias: Int) -> [Int] { routesByAlias[alias] }

    /// All aliases of the route in its order of preference: the one that an operator switched it to, then the
    /// configured order. While some preferred aliases can serve, but fewer than `minReplicas`, the failover aliases
    /// come first.
    public func order(ofRoute route: Int) -> [Int] { orderByRoute[route].preference }

    /// The alias that an operator switched the route to; `nil` if none.
    public func pin(ofRoute route: Int) -> Int? { pinByRoute[route] }

    /// The aliases that a new session tries, in this order: those that are up; full or blocking this machine; suspect;
    /// stale, if the route serves stale aliases. Drained aliases are left out. Empty if no alias may serve.
    public func candidates(ofRoute route: Int) -> [Candidate] { orderByRoute[route].candidates }

    /// How many of the first candidates share new sessions; 0 if there is no candidate.
    public func sharing(ofRoute route: Int) -> Int { orderByRoute[route].sharing }

    /// Whether a session of the route on one alias should move to another one.
    public func prefers(_ other: Int, to alias: Int, onRoute route: Int) -> Bool {
        orderByRoute[route].prefers(other, to: alias, on: routes[route])
    }

    /// Why the route takes no new sessions; `nil` while it does.
    public func closure(ofRoute route: Int) -> Closure? { closureByRoute[route] }

    /// Changes the state of an alias, and decides the order of its routes again if the state is different.
    ///
    /// - Returns: whether anything has changed.
    @discardableResult
    package mutating func update(alias: Int, _ change: (inout AliasState) -> Void) -> Bool {
        let before = aliases[alias]
        change(&aliases[alias])
        guard aliases[alias] != before else { return false }
        if before.failure == nil, aliases[alias].failure != nil { aliases[alias].falls &+= 1 }
        for route in routesByAlias[alias] { decideOrder(ofRoute: route) }
        return true
    }

    /// Replaces the aliases and routes. Existing ones keep their positions and their state. A new one may take the
    /// position of a retired one. If a route no longer has the alias that it is pinned to, the pin is released.
    package mutating func change(aliases: [AliasState], routes: [Route]) {
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
        orderByRoute = routes.indices.map { RouteOrder(of: routes[$0], pin: pinByRoute[$0], among: self.aliases) }
        routesByAlias = Self.routesByAlias(routes, aliasCount: aliases.count)
    }

    /// Switches a route to an alias, or ends the switch (`nil`).
    ///
    /// - Returns: whether anything has changed.
    @discardableResult
    package mutating func pin(route: Int, to alias: Int?) -> Bool {
        guard pinByRoute[route] != alias else { return false }
        pinByRoute[route] = alias
        decideOrder(ofRoute: route)
        return true
    }

    /// Replaces all closures. If several are for the same route, the first one counts.
    ///
    /// - Returns: whether anything has changed.
    @discardableResult
    package mutating func replaceClosures(_ closures: [(route: Int, closure: Closure)]) -> Bool {
        let before = closureByRoute
        closureByRoute = routes.map { _ in nil }
        for (route, closure) in closures { closureByRoute[route] = closureByRoute[route] ?? closure }
        return closureByRoute != before
    }

    private mutating func decideOrder(ofRoute route: Int) {
        orderByRoute[route] = RouteOrder(of: routes[route], pin: pinByRoute[route], among: aliases)
    }
}

extension RouteTable {
    /// The routes that would have an alias if this one were not in an outage drill, and have none with the drill. A
    /// drill must not cause the outage that it simulates.
    public func routesStopped(byDrillOf alias: Int) -> [Int] {
        var (drilled, spared) = (self, self)
        drilled.update(alias: alias) { $0.isDrilled = true }
        spared.update(alias: alias) { $0.isDrilled = false }
        return routes.indices.filter { route in
            !routes[route].isRetired && drilled.candidates(ofRoute: route).isEmpty
                && !spared.candidates(ofRoute: route).isEmpty
        }
    }
}

extension RouteTable {
    /// Whether the alias is not one of the route's preferred ones. This includes an alias that an operator has
    /// switched the route to.
    public func isFailover(alias: Int, ofRoute route: Int) -> Bool { !routes[route].preferred.contains(alias) }
}
