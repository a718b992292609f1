package import FailoverCore

/// What sessions have done since the start, and how many there are now.
package struct TrafficReport: Hashable, Sendable {
    /// The sessions of one route.
    package struct OfRoute: Hashable, Sendable {
        /// Clients that were accepted.
        package internal(set) var accepted = 0
        /// Clients that were told why they are not served.
        package internal(set) var refused = 0
        /// Bytes from clients.
        package internal(set) var fromClients: UInt64 = 0
        /// Bytes from backends.
        package internal(set) var fromBackends: UInt64 = 0
        /// Sessions that another alias served after one had failed.
        package internal(set) var retried = 0
        /// Sessions that were moved to a better alias.
        package internal(set) var moved = 0
        /// Sessions that wait for a place now.
        package internal(set) var queued = 0
        /// Clients that waited for one in vain.
        package internal(set) var queueTimeouts = 0
        /// Sessions that each alias has served, by its position in the route table; of those that have served any.
        package internal(set) var served: [Int: Int] = [:]
        /// Sessions that each alias serves now, of those that serve any.
        package internal(set) var open: [Int: Int] = [:]

        /// Adds what another has done.
        package mutating func add(_ other: OfRoute) {
            accepted += other.accepted
            refused += other.refused
            fromClients += other.fromClients
            fromBackends += other.fromBackends
            retried += other.retried
            moved += other.moved
            queued += other.queued
            queueTimeouts += other.queueTimeouts
            served.merge(other.served, uniquingKeysWith: +)
            open.merge(other.open, uniquingKeysWith: +)
        }
    }

    /// By route.
    package internal(set) var routes: [OfRoute]
    /// Errors of backends that sessions saw, by alias.
    package internal(set) var failures: [[BackendErrorKind: Int]]
    /// How long each loop took to answer, in nanoseconds: what any event on it waits.
    package internal(set) var lag: [UInt64] = []

    init(_ table: RouteTable) {
        routes = table.routes.map { _ in OfRoute() }
        failures = table.aliases.map { _ in [:] }
    }

    /// Has room for more routes and aliases, if there are more.
    mutating func grow(routes routeCount: Int, aliases: Int) {
        routes += Array(repeating: OfRoute(), count: max(0, routeCount - routes.count))
        failures += Array(repeating: [:], count: max(0, aliases - failures.count))
    }

    /// Adds what another loop reports.
    mutating func add(_ other: TrafficReport) {
        grow(routes: other.routes.count, aliases: other.failures.count)
        for index in other.routes.indices { routes[index].add(other.routes[index]) }
        for alias in other.failures.indices { failures[alias].merge(other.failures[alias], uniquingKeysWith: +) }
        lag += other.lag
    }
}

/// One open session, as somebody on call wants to see it.
package struct SessionReport: Hashable, Sendable {
    /// Counts from 1 in each process; later sessions have higher numbers.
    package let id: UInt64
    /// By position in the route table.
    package let route: Int
    /// The alias that serves it, by its position; `nil` while none does yet.
    package let alias: Int?
    /// Where the client is, as far as it can be told.
    package let client: String
    package let age: Duration
    /// Since the last byte passed.
    package let idle: Duration
    /// Bytes from the client.
    package let fromClient: UInt64
    /// Bytes from the backend.
    package let fromBackend: UInt64
    /// Whether it stands where it could be moved; `nil` of one that can't be read.
    package let isAtBoundary: Bool?
}

/// Which sessions are asked for.
package struct SessionQuery: Hashable, Sendable {
    /// Those of one route; all unless given.
    package var route: Int?
    /// Those whose numbers are higher.
    package var after: UInt64
    /// The most that are told; those with the lowest numbers.
    package var limit: Int

    package init(route: Int? = nil, after: UInt64 = 0, limit: Int) {
        self.route = route
        self.after = after
        self.limit = limit
    }
}
