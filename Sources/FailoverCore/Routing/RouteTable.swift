/// Which alias serves a new session of each route now, and why. A value: each event loop holds a snapshot.
public struct RouteTable: Hashable, Sendable {
    public private(set) var aliases: [AliasState]
    public let routes: [Route]
    /// For each route the aliases to try, in order; kept so that a new session costs no decision.
    private var candidatesByRoute: [[Candidate]]
    /// For each route why it is closed, the latest last.
    private var closuresByRoute: [[Closure]]

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

    /// The alias that a route's new sessions get first, and the reason.
    public enum Selection: Hashable, Sendable {
        /// The route's own alias is up.
        case preferred(alias: Int)
        /// Aliases before it are down or suspect.
        case failover(alias: Int, instead: [Passed])
        /// No alias is up.
        case none([Passed])

        /// An alias that was passed over.
        public struct Passed: Hashable, Sendable {
            public let alias: Int
            /// Why it is down; `nil` when it is only suspect.
            public let outage: PingFailure?

            public init(alias: Int, outage: PingFailure?) {
                self.alias = alias
                self.outage = outage
            }
        }

        /// The alias chosen, if any.
        public var alias: Int? {
            switch self {
            case .preferred(let alias), .failover(let alias, _): alias
            case .none: nil
            }
        }
    }

    public init(aliases: [AliasState], routes: [Route]) {
        self.aliases = aliases
        self.routes = routes
        closuresByRoute = routes.map { _ in [] }
        candidatesByRoute = []
        candidatesByRoute = routes.map { Self.candidates(of: $0, in: aliases) }
    }

    /// The aliases that a new session tries, in order: those up, then those up but suspect. Empty when nothing is up.
    public func candidates(ofRoute route: Int) -> [Candidate] { candidatesByRoute[route] }

    /// Why the route takes no new sessions; `nil` while it does.
    public func closure(ofRoute route: Int) -> Closure? { closuresByRoute[route].first }

    /// Which alias a new session gets first, and why.
    public func selection(ofRoute route: Int) -> Selection {
        let first = candidatesByRoute[route].first?.alias
        let passed = routes[route].aliases.prefix { $0 != first }
            .map { Selection.Passed(alias: $0, outage: aliases[$0].outage) }
        guard let first else { return .none(passed) }
        return passed.isEmpty ? .preferred(alias: first) : .failover(alias: first, instead: passed)
    }

    /// Name of the alias that serves the routes that prefer `alias`; `nil` when there are none, when nothing is up, or when
    /// those routes have come to different aliases.
    public func servingAlias(insteadOf alias: Int) -> String? {
        let concerned = routes.indices.filter { routes[$0].aliases.first == alias }
        let serving = Set(concerned.map { selection(ofRoute: $0).alias })
        guard serving.count == 1, let only = serving.first, let index = only else { return nil }
        return aliases[index].name
    }

    mutating func update(alias: Int, _ change: (inout AliasState) -> Void) {
        change(&aliases[alias])
        for (index, route) in routes.enumerated() where route.aliases.contains(alias) {
            candidatesByRoute[index] = Self.candidates(of: route, in: aliases)
        }
    }

    mutating func close(route: Int, _ closure: Closure) {
        reopen(route: route, after: closure.service)
        closuresByRoute[route].append(closure)
    }

    mutating func reopen(route: Int, after service: String) {
        closuresByRoute[route].removeAll { $0.service == service }
    }

    private static func candidates(of route: Route, in aliases: [AliasState]) -> [Candidate] {
        let up = route.aliases.filter { aliases[$0].outage == nil }
        let ordered = up.filter { !aliases[$0].isSuspect } + up.filter { aliases[$0].isSuspect }
        return ordered.map { Candidate(alias: $0, addresses: aliases[$0].addresses) }
    }
}
