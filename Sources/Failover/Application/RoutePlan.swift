import FailoverChecks
import FailoverCore
import FailoverProxy

/// The configuration's database services as positions in a route table.
///
/// A plan that follows another keeps its positions: what the configuration has no longer is retired, what is new stands
/// behind. An alias is the same as long as its name and its servers are, a route as long as its name and its engine are.
struct RoutePlan {
    struct Alias {
        let database: DatabaseAlias
        /// The name under which the alias is monitored: its service's, or its own when several services share it.
        let serviceName: String
        /// The services whose own alias it is, in the order of the file.
        let services: [String]
        var isRetired = false

        /// Whether the other is at the same server, and known by the same name.
        func isSame(as other: Alias) -> Bool {
            database.name == other.database.name && database.server.endpoints == other.database.server.endpoints
                && database.server.engine == other.database.server.engine
        }
    }

    struct PlannedRoute {
        let name: String
        let settings: DatabaseRoute
        let engine: DatabaseServer.Engine
        var isRetired = false

        /// Whether sessions of the other may be treated as this one's.
        func isSame(as other: PlannedRoute) -> Bool { name == other.name && engine == other.engine }
    }

    /// The aliases that a route uses, in the order of the file.
    let aliases: [Alias]
    let routes: [PlannedRoute]
    /// Where those are that are still there, by name.
    private let positionsOfAliases: [String: Int]
    private let positionsOfRoutes: [String: Int]

    /// - Parameter former: the plan whose positions are to be kept.
    init(_ configuration: Configuration, after former: RoutePlan? = nil) {
        let routes = configuration.services.compactMap { service -> PlannedRoute? in
            guard case .database(let route) = service.kind else { return nil }
            // All aliases of a route have the same one.
            let engine = configuration.databases.first { $0.name == route.aliases.first }?.server.engine
            return PlannedRoute(name: service.name, settings: route, engine: engine ?? .tcp)
        }
        let used = Set(routes.flatMap(\.settings.aliases))
        var owners: [String: [PlannedRoute]] = [:]
        for route in routes {
            for name in route.settings.ownAliases { owners[name, default: []].append(route) }
        }
        let aliases = configuration.databases.filter { used.contains($0.name) }.map { database in
            let owners = owners[database.name, default: []]
            let isOnly = owners.count == 1 && owners[0].settings.ownCount == 1
            return Alias(
                database: database, serviceName: isOnly ? owners[0].name : database.name, services: owners.map(\.name))
        }
        self.routes = Self.merge(routes, into: former?.routes ?? [], isSame: { $0.isSame(as: $1) }) {
            $0.isRetired = true
        }
        self.aliases = Self.merge(aliases, into: former?.aliases ?? [], isSame: { $0.isSame(as: $1) }) {
            $0.isRetired = true
        }
        positionsOfAliases = Self.positions(self.aliases.map { $0.isRetired ? nil : $0.database.name })
        positionsOfRoutes = Self.positions(self.routes.map { $0.isRetired ? nil : $0.name })
    }

    private static func positions(_ names: [String?]) -> [String: Int] {
        names.enumerated().reduce(into: [:]) { positions, item in
            if let name = item.element, positions[name] == nil { positions[name] = item.offset }
        }
    }

    /// The former ones, each replaced by the new one that is the same or else retired, and then those that are new.
    private static func merge<Element>(
        _ new: [Element], into former: [Element], isSame: (Element, Element) -> Bool,
        retire: (inout Element) -> Void
    ) -> [Element] {
        let kept = former.map { old in
            var retired = old
            retire(&retired)
            return new.first { isSame($0, old) } ?? retired
        }
        return kept + new.filter { element in !former.contains { isSame(element, $0) } }
    }

    /// The aliases of the route table that this plan begins with.
    var aliasStates: [AliasState] {
        aliases.map {
            AliasState(
                name: $0.database.name, endpoint: $0.database.server.endpoint,
                alternatives: $0.database.server.alternatives, isRetired: $0.isRetired)
        }
    }

    /// The routes of the route table. One that is retired keeps the servers that are still there.
    var tableRoutes: [Route] {
        routes.map { route in
            let own = positions(of: route.settings.ownAliases)
            return Route(
                name: route.name, aliases: own + positions(of: route.settings.failoverAliases), ownCount: own.count,
                leastOwn: route.settings.minReplicas, servesStale: route.settings.servesStale,
                maxSuspectShare: route.settings.maxSuspectShare, isRetired: route.isRetired)
        }
    }

    /// Where the aliases of these names are, as far as they are still there.
    private func positions(of names: ArraySlice<String>) -> [Int] {
        names.compactMap { positionsOfAliases[$0] }
    }

    var table: RouteTable { RouteTable(aliases: aliasStates, routes: tableRoutes) }

    /// Positions of the own aliases of the route of this name; empty if there is no such route.
    func ownAliases(ofService name: String) -> [Int] {
        positionsOfRoutes[name].map { positions(of: routes[$0].settings.ownAliases) } ?? []
    }

    /// For each replica that is held to its primary's log, the aliases that may be its primary: those that its routes fail
    /// over to.
    var primaries: [Int: [Int]] {
        var primaries: [Int: [Int]] = [:]
        for route in tableRoutes where !route.isRetired {
            for own in route.own where aliases[own].database.server.replication?.maxLagBytes != nil {
                primaries[own, default: []] += route.failover
            }
        }
        return primaries
    }

    /// What the proxy serves, with the listeners' names resolved.
    ///
    /// - Parameter hasPredecessor: whether another process may still serve sessions of these routes.
    func proxyConfiguration(
        resolver: NameResolver, workers: Int, maxBufferMemory: Int?, hasPredecessor: Bool
    ) async throws -> ProxyConfiguration {
        ProxyConfiguration(
            routes: try await proxyRoutes(resolver: resolver), aliasLimits: aliases.map(\.database.maxConnections),
            aliasWeights: aliases.map(\.database.weight),
            aliasAnswerTimeouts: aliases.map(\.database.monitor.pingTimeout), workers: workers,
            maxBufferMemory: maxBufferMemory, hasPredecessor: hasPredecessor)
    }

    private func proxyRoutes(resolver: NameResolver) async throws -> [ProxyRoute] {
        var result: [ProxyRoute] = []
        for route in routes {
            let settings = route.settings
            var listen: [SocketAddress] = []
            for endpoint in route.isRetired ? [] : settings.listen {
                listen += try await resolver.addresses(of: endpoint, limit: .seconds(5))
            }
            result.append(
                ProxyRoute(
                    name: route.name, engine: route.engine, listen: listen, socketAccess: settings.socketAccess,
                    allow: settings.allow, maxConnections: settings.maxConnections,
                    maxConnectionsPerSource: settings.maxConnectionsPerSource,
                    connectionRatePerSource: settings.connectionRatePerSource, session: settings.session,
                    balance: settings.ownCount > 1 ? settings.balance : nil))
        }
        return result
    }
}
