package import FailoverCore

/// Statistics of sessions since the start, and the number of open ones.
package struct TrafficReport: Hashable, Sendable {
    /// The sessions of one route.
    package struct OfRoute: Hashable, Sendable {
        /// Accepted clients.
        package internal(set) var accepted = 0
        /// Refused clients.
        package internal(set) var refused = 0
        /// Bytes from clients.
        package internal(set) var fromClients: UInt64 = 0
        /// Bytes from backends.
        package internal(set) var fromBackends: UInt64 = 0
        /// Sessions that were served after at least one alias had failed.
        package internal(set) var retried = 0
        /// Sessions that were moved to a better alias.
        package internal(set) var moved = 0
        /// Those of ``moved`` whose server had said that they were at a transaction boundary.
        package internal(set) var attested = 0
        /// Sessions whose client had sent a request by the time that it read the end, which came at a transaction
        /// boundary.
        package internal(set) var bytesAfterClose = 0
        /// TLS handshakes with clients that were completed, and those that failed, where TLS ends at the proxy.
        package internal(set) var handshakes = 0
        package internal(set) var failedHandshakes = 0
        /// Sessions that currently wait to be moved.
        package internal(set) var moving = 0
        /// Those of ``moving`` that the proxy cannot read and that their server has not said to be at a boundary.
        package internal(set) var movingUnreadable = 0
        /// Sessions that currently wait for a connection slot.
        package internal(set) var queued = 0
        /// Clients that waited longer than `queue_timeout`.
        package internal(set) var queueTimeouts = 0
        /// Sessions served by each alias, by position in the route table. Aliases without sessions are missing.
        package internal(set) var served: [Int: Int] = [:]
        /// Open sessions of each alias. Aliases without sessions are missing.
        package internal(set) var open: [Int: Int] = [:]

        /// Adds the counts of another report.
        package mutating func add(_ other: OfRoute) {
            accepted += other.accepted
            refused += other.refused
            fromClients += other.fromClients
            fromBackends += other.fromBackends
            retried += other.retried
            moved += other.moved
            attested += other.attested
            bytesAfterClose += other.bytesAfterClose
            handshakes += other.handshakes
            failedHandshakes += other.failedHandshakes
            moving += other.moving
            movingUnreadable += other.movingUnreadable
            queued += other.queued
            queueTimeouts += other.queueTimeouts
            served.merge(other.served, uniquingKeysWith: +)
            open.merge(other.open, uniquingKeysWith: +)
        }
    }

    /// By route.
    package internal(set) var routes: [OfRoute]
    /// Backend errors that sessions observed, by alias.
    package internal(set) var failures: [[BackendErrorKind: Int]]
    /// How long each loop took to answer, in nanoseconds. Every event on the loop had to wait for the same time.
    package internal(set) var lag: [UInt64] = []

    init(_ table: RouteTable) {
        routes = table.routes.map { _ in OfRoute() }
        failures = table.aliases.map { _ in [:] }
    }

    /// Adds entries for new routes and aliases, and removes the counts of those whose position was given to another
    /// one.
    mutating func follow(_ table: RouteTable, after former: RouteTable) {
        grow(routes: table.routes.count, aliases: table.aliases.count)
        for (index, (route, other)) in zip(former.routes, table.routes).enumerated() where route.name != other.name {
            routes[index] = OfRoute()
        }
        for (index, (alias, other)) in zip(former.aliases, table.aliases).enumerated() where alias.name != other.name {
            failures[index] = [:]
            for route in routes.indices { routes[route].served[index] = nil }
        }
    }

    /// Adds entries for new routes and aliases.
    private mutating func grow(routes routeCount: Int, aliases: Int) {
        routes += Array(repeating: OfRoute(), count: max(0, routeCount - routes.count))
        failures += Array(repeating: [:], count: max(0, aliases - failures.count))
    }

    /// Adds the report of another loop.
    mutating func add(_ other: TrafficReport) {
        grow(routes: other.routes.count, aliases: other.failures.count)
        for index in other.routes.indices { routes[index].add(other.routes[index]) }
        for alias in other.failures.indices { failures[alias].merge(other.failures[alias], uniquingKeysWith: +) }
        lag += other.lag
    }
}

/// An open session, for operators.
package struct SessionReport: Hashable, Sendable {
    /// Unique in this process; numbers start at 1 and increase.
    package let id: UInt64
    /// The position in the route table.
    package let route: Int
    /// The position of the alias that serves it; `nil` before one does.
    package let alias: Int?
    /// The client's address, if known.
    package let client: String
    package let age: Duration
    /// The time since the last byte was relayed.
    package let idle: Duration
    /// Bytes from the client.
    package let fromClient: UInt64
    /// Bytes from the backend.
    package let fromBackend: UInt64
    /// What is known of its transactions.
    package let boundary: SessionBoundary
}

/// Selects open sessions.
package struct SessionQuery: Hashable, Sendable {
    /// Only sessions of this route; `nil` is all.
    package var route: Int?
    /// Only sessions with higher numbers.
    package var after: UInt64
    /// The maximum number of sessions; those with the lowest numbers are returned.
    package var limit: Int

    package init(route: Int? = nil, after: UInt64 = 0, limit: Int) {
        self.route = route
        self.after = after
        self.limit = limit
    }
}
