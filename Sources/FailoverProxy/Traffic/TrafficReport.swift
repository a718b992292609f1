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
        /// Sessions that wait for a place now.
        public internal(set) var queued = 0
        /// Clients that waited for one in vain.
        public internal(set) var queueTimeouts = 0
        /// Sessions that each alias has served, by its position in the route table.
        public internal(set) var served: [Int]
        /// Sessions that each alias serves now.
        public internal(set) var open: [Int]

        init(aliases: Int) {
            served = Array(repeating: 0, count: aliases)
            open = served
        }

        /// Adds what another has done.
        public mutating func add(_ other: OfRoute) {
            accepted += other.accepted
            refused += other.refused
            fromClients += other.fromClients
            fromBackends += other.fromBackends
            retried += other.retried
            moved += other.moved
            queued += other.queued
            queueTimeouts += other.queueTimeouts
            grow(aliases: other.served.count)
            for alias in other.served.indices {
                served[alias] += other.served[alias]
                open[alias] += other.open[alias]
            }
        }

        mutating func grow(aliases: Int) {
            let added = Array(repeating: 0, count: max(0, aliases - served.count))
            served += added
            open += added
        }
    }

    /// By route.
    public internal(set) var routes: [OfRoute]
    /// Errors of backends that sessions saw, by alias.
    public internal(set) var failures: [[BackendErrorKind: Int]]
    /// How long each loop took to answer, in nanoseconds: what any event on it waits.
    public internal(set) var lag: [UInt64] = []

    init(_ table: RouteTable) {
        routes = table.routes.map { _ in OfRoute(aliases: table.aliases.count) }
        failures = table.aliases.map { _ in [:] }
    }

    /// Has room for more routes and aliases, if there are more.
    mutating func grow(routes routeCount: Int, aliases: Int) {
        for index in routes.indices { routes[index].grow(aliases: aliases) }
        for _ in routes.count..<max(routes.count, routeCount) { routes.append(OfRoute(aliases: aliases)) }
        for _ in failures.count..<max(failures.count, aliases) { failures.append([:]) }
    }

    /// Adds what another loop reports.
    mutating func add(_ other: TrafficReport) {
        grow(routes: other.routes.count, aliases: other.failures.count)
        for index in other.routes.indices { routes[index].add(other.routes[index]) }
        for alias in other.failures.indices { failures[alias].merge(other.failures[alias], uniquingKeysWith: +) }
        lag += other.lag
    }
}
