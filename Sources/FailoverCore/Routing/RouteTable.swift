/// Which alias serves a new session of each route now, and why. A value: each event loop holds a snapshot.
public struct RouteTable: Hashable, Sendable {
    public private(set) var aliases: [AliasState]
    public private(set) var routes: [Route]
    /// For each route; kept so that a new session costs no decision.
    private(set) var orderByRoute: [RouteOrder]
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
        orderByRoute = routes.map { RouteOrder(of: $0, pin: nil, among: aliases) }
    }

    /// All aliases of the route in the order of preference: the one that an operator switched it to, then as configured.
    /// While fewer of the route's own are left than it is to do with, these come last.
    public func order(ofRoute route: Int) -> [Int] { orderByRoute[route].preference }

    /// The alias that an operator switched the route to, if so.
    public func pin(ofRoute route: Int) -> Int? { pinByRoute[route] }

    /// The aliases that a new session tries, in order: those up, then those full or blocking this machine, then those suspect,
    /// then those stale, if the route serves such. Never one that is drained. Empty when there is none.
    public func candidates(ofRoute route: Int) -> [Candidate] { orderByRoute[route].candidates }

    /// So many of the first candidates serve side by side; 0 if there is none.
    public func sharing(ofRoute route: Int) -> Int { orderByRoute[route].sharing }

    /// Whether a session that one alias of the route serves would be better off with another.
    public func prefers(_ other: Int, to alias: Int, onRoute route: Int) -> Bool {
        orderByRoute[route].prefers(other, to: alias, on: routes[route])
    }

    /// Why the route takes no new sessions; `nil` while it does.
    public func closure(ofRoute route: Int) -> Closure? { closureByRoute[route] }

    mutating func update(alias: Int, _ change: (inout AliasState) -> Void) {
        change(&aliases[alias])
        for (index, route) in routes.enumerated() where route.aliases.contains(alias) {
            decideOrder(ofRoute: index)
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
        orderByRoute = routes.indices.map { RouteOrder(of: routes[$0], pin: pinByRoute[$0], among: self.aliases) }
    }

    mutating func pin(route: Int, to alias: Int?) {
        pinByRoute[route] = alias
        decideOrder(ofRoute: route)
    }

    /// These routes are closed; of several closures of a route the first is told.
    mutating func replaceClosures(_ closures: [(route: Int, closure: Closure)]) {
        closureByRoute = routes.map { _ in nil }
        for (route, closure) in closures { closureByRoute[route] = closureByRoute[route] ?? closure }
    }

    private mutating func decideOrder(ofRoute route: Int) {
        orderByRoute[route] = RouteOrder(of: routes[route], pin: pinByRoute[route], among: aliases)
    }
}
