import FailoverChecks
import FailoverCore
import FailoverProxy

/// The routes and aliases of a configuration, with their positions in the route table.
///
/// A plan that follows another one keeps its positions. Removed entries are retired. A new entry takes the position of
/// a retired one that no session uses, or is appended. An alias is the same if its name, its servers and its engine are
/// the same. A route is the same if its name and its engine are the same.
struct RoutePlan {
    struct Alias: PlannedEntry {
        let database: DatabaseAlias
        /// The name under which the alias is monitored: the name of the service, if it is the only alias in `db_alias`
        /// of exactly one service; otherwise its own name.
        let serviceName: String
        /// The services that have it in `db_alias`, in file order.
        let services: [String]
        var isRetired = false

        /// Whether the other alias has the same name, servers and engine.
        func isSame(as other: Alias) -> Bool {
            database.name == other.database.name && database.server.endpoints == other.database.server.endpoints
                && database.server.engine == other.database.server.engine
        }
    }

    struct PlannedRoute: PlannedEntry {
        let name: String
        let settings: DatabaseRoute
        let engine: DatabaseServer.Engine
        var isRetired = false

        /// Whether the other route has the same name and engine, so that its sessions can continue on this one.
        func isSame(as other: PlannedRoute) -> Bool { name == other.name && engine == other.engine }
    }

    /// The aliases that routes use, in file order.
    let aliases: [Alias]
    let routes: [PlannedRoute]
    /// The positions of the current aliases, by name.
    private let positionsOfAliases: [String: Int]
    private let positionsOfRoutes: [String: Int]

    /// - Parameters:
    ///   - former: the plan whose positions are kept; `nil`, the default, if there is none.
    ///   - used: the positions that sessions use while `former` is served; `nil` if that is unknown.
    init(_ configuration: Configuration, after former: RoutePlan? = nil, used positions: RouteTable.Positions? = nil) {
        let routes = configuration.services.compactMap { service -> PlannedRoute? in
            guard case .database(let route) = service.kind else { return nil }
            // All aliases of a route have the same engine.
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
            let isOnly = owners.count == 1 && owners[0].settings.preferredCount == 1
            return Alias(
                database: database, serviceName: isOnly ? owners[0].name : database.name, services: owners.map(\.name))
        }
        self.routes = Self.merge(routes, into: former?.routes ?? [], used: positions?.routes)
        self.aliases = Self.merge(aliases, into: former?.aliases ?? [], used: positions?.aliases)
        positionsOfAliases = Self.positions(self.aliases.map { $0.isRetired ? nil : $0.database.name })
        positionsOfRoutes = Self.positions(self.routes.map { $0.isRetired ? nil : $0.name })
    }

    private static func positions(_ names: [String?]) -> [String: Int] {
        names.enumerated().reduce(into: [:]) { positions, item in
            if let name = item.element, positions[name] == nil { positions[name] = item.offset }
        }
    }

    /// Merges new entries into the former ones. A former entry is replaced by the same new one, or retired. Other new
    /// entries first take the positions of entries that were already retired and that no session uses; the rest are
    /// appended.
    private static func merge<Entry: PlannedEntry>(
        _ new: [Entry], into former: [Entry], used: Set<Int>?
    ) -> [Entry] {
        var merged = former.map { old in
            var retired = old
            retired.isRetired = true
            return new.first { $0.isSame(as: old) } ?? retired
        }
        var added = new.filter { entry in !former.contains { $0.isSame(as: entry) } }[...]
        for index in former.indices where former[index].isRetired && merged[index].isRetired {
            guard let used, !used.contains(index), let entry = added.popFirst() else { continue }
            merged[index] = entry
        }
        return merged + added
    }

    /// The positions at which the former plan has no entry or another one.
    func newPositions(after former: RoutePlan) -> RouteTable.Positions {
        RouteTable.Positions(
            routes: Self.newPositions(routes, after: former.routes),
            aliases: Self.newPositions(aliases, after: former.aliases))
    }

    private static func newPositions<Entry: PlannedEntry>(_ entries: [Entry], after former: [Entry]) -> Set<Int> {
        Set(entries.indices.filter { $0 >= former.count || !entries[$0].isSame(as: former[$0]) })
    }

    /// The aliases of this plan, in their initial state.
    var aliasStates: [AliasState] {
        aliases.map {
            AliasState(
                name: $0.database.name, endpoint: $0.database.server.endpoint,
                alternatives: $0.database.server.alternatives, isRetired: $0.isRetired)
        }
    }

    /// The routes of this plan, for the route table. A retired route keeps the aliases that still exist.
    var tableRoutes: [Route] {
        routes.map { route in
            let own = positions(of: route.settings.ownAliases)
            return Route(
                name: route.name, aliases: own + positions(of: route.settings.failoverAliases),
                preferredCount: own.count,
                minReplicas: route.settings.minReplicas, servesStale: route.settings.servesStale,
                maxSuspectShare: route.settings.maxSuspectShare, isRetired: route.isRetired)
        }
    }

    /// The positions of those aliases with these names that still exist.
    private func positions(of names: ArraySlice<String>) -> [Int] {
        names.compactMap { positionsOfAliases[$0] }
    }

    var table: RouteTable { RouteTable(aliases: aliasStates, routes: tableRoutes) }

    /// The positions of the aliases in the `db_alias` of a route; empty if there is no such route.
    func ownAliases(ofService name: String) -> [Int] {
        positionsOfRoutes[name].map { positions(of: routes[$0].settings.ownAliases) } ?? []
    }

    /// For each replica with `max_lag_bytes`, the aliases that may be its primary. These are the failover aliases of
    /// its routes.
    var primaries: [Int: [Int]] {
        var primaries: [Int: [Int]] = [:]
        for route in tableRoutes where !route.isRetired {
            for own in route.preferred where aliases[own].database.server.replication?.maxLagBytes != nil {
                primaries[own, default: []] += route.failover
            }
        }
        return primaries
    }

    /// The configuration of the proxy. The host names of listeners are resolved.
    ///
    /// - Parameters:
    ///   - tls: the TLS contexts of this plan.
    ///   - hasPredecessor: whether another process may still serve sessions of these routes.
    func proxyConfiguration(
        resolver: NameResolver, tls: TLSContexts, workers: Int, maxBufferMemory: Int?, hasPredecessor: Bool
    ) async throws -> ProxyConfiguration {
        ProxyConfiguration(
            routes: try await proxyRoutes(resolver: resolver, tls: tls),
            aliasLimits: aliases.map(\.database.maxConnections),
            aliasWeights: aliases.map(\.database.weight),
            aliasAnswerTimeouts: aliases.map(\.database.monitor.pingTimeout),
            aliasTLS: aliases.map { tls.serverTLS(of: $0.database) },
            workers: workers,
            maxBufferMemory: maxBufferMemory, hasPredecessor: hasPredecessor)
    }

    private func proxyRoutes(resolver: NameResolver, tls: TLSContexts) async throws -> [ProxyRoute] {
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
                    clientTLS: tls.clientTLS(of: route),
                    balance: settings.preferredCount > 1 ? settings.balance : nil))
        }
        return result
    }
}

/// An alias or a route of a plan.
private protocol PlannedEntry {
    /// Whether the entry is no longer in the configuration.
    var isRetired: Bool { get set }

    func isSame(as other: Self) -> Bool
}
