public import FailoverCore

/// What sessions have done since the start, and how many there are now.
public struct TrafficReport: Hashable, Sendable {
    /// The sessions of one route.
    public struct OfRoute: Hashable, Sendable {
        /// Clients that were accepted.
        public internal(set) var accepted = 0
        /// Clients that were told why they are not served.
        public internal(set) var refused = 0
        /// Bytes from clients.
        public internal(set) var fromClients: UInt64 = 0
        /// Bytes from backends.
        public internal(set) var fromBackends: UInt64 = 0
        /// Sessions that another alias served after one had failed.
        public internal(set) var retried = 0
        /// Sessions that were moved to a better alias.
        public internal(set) var moved = 0
        /// Sessions that each alias has served, by its position in the route's own order.
        public internal(set) var served: [Int]
        /// Sessions that each alias serves now.
        public internal(set) var open: [Int]

        init(aliases: Int) {
            served = Array(repeating: 0, count: aliases)
            open = served
        }
    }

    /// By route.
    public internal(set) var routes: [OfRoute]
    /// Errors of backends that sessions saw, by alias.
    public internal(set) var failures: [[BackendErrorKind: Int]]
    /// How long each loop took to answer, in nanoseconds: what any event on it waits.
    public internal(set) var lag: [UInt64] = []

    init(_ table: RouteTable) {
        routes = table.routes.map { OfRoute(aliases: $0.aliases.count) }
        failures = table.aliases.map { _ in [:] }
    }

    /// Adds what another loop reports.
    mutating func add(_ other: TrafficReport) {
        for index in routes.indices {
            routes[index].accepted += other.routes[index].accepted
            routes[index].refused += other.routes[index].refused
            routes[index].fromClients += other.routes[index].fromClients
            routes[index].fromBackends += other.routes[index].fromBackends
            routes[index].retried += other.routes[index].retried
            routes[index].moved += other.routes[index].moved
            for alias in routes[index].served.indices {
                routes[index].served[alias] += other.routes[index].served[alias]
                routes[index].open[alias] += other.routes[index].open[alias]
            }
        }
        for alias in failures.indices { failures[alias].merge(other.failures[alias], uniquingKeysWith: +) }
        lag += other.lag
    }
}
