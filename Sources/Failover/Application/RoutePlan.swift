import FailoverChecks
import FailoverCore
import FailoverProxy

/// The configuration's database services as positions in a route table.
struct RoutePlan {
    struct Alias {
        let database: DatabaseAlias
        /// The name under which the alias is monitored: its service's, or its own when several services share it.
        let serviceName: String
    }

    /// The aliases that a route uses, in the order of the file.
    let aliases: [Alias]
    let routes: [(name: String, settings: DatabaseRoute)]
    let table: RouteTable

    init(_ configuration: Configuration) {
        let routes = configuration.services.compactMap { service -> (name: String, settings: DatabaseRoute)? in
            guard case .database(let route) = service.kind else { return nil }
            return (service.name, route)
        }
        let aliases = configuration.databases
            .filter { database in routes.contains { $0.settings.aliases.contains(database.name) } }
            .map { Alias(database: $0, serviceName: Self.serviceName(of: $0.name, in: routes)) }
        table = RouteTable(
            aliases: aliases.map { AliasState(name: $0.database.name, endpoint: $0.database.server.endpoint) },
            routes: routes.map { route in
                Route(
                    name: route.name,
                    aliases: route.settings.aliases.compactMap { name in
                        aliases.firstIndex { $0.database.name == name }
                    })
            })
        self.routes = routes
        self.aliases = aliases
    }

    /// Position of the alias that the route of this name prefers; `nil` if there is no such route.
    func ownAlias(ofService name: String) -> Int? {
        guard let route = routes.first(where: { $0.name == name }) else { return nil }
        return aliases.firstIndex { $0.database.name == route.settings.aliases.first }
    }

    private static func serviceName(of alias: String, in routes: [(name: String, settings: DatabaseRoute)]) -> String {
        let owners = routes.filter { $0.settings.aliases.first == alias }
        return owners.count == 1 ? owners[0].name : alias
    }

    /// The engine of a route, by its position.
    func engine(ofRoute route: Int) -> DatabaseServer.Engine { engine(of: routes[route].settings) }

    /// All aliases of a route have the same one.
    private func engine(of route: DatabaseRoute) -> DatabaseServer.Engine {
        aliases.first { $0.database.name == route.aliases.first }?.database.server.engine ?? .tcp
    }

    /// The routes as the proxy serves them, with their listeners' names resolved.
    func proxyRoutes(resolver: NameResolver) async throws -> [ProxyRoute] {
        var result: [ProxyRoute] = []
        for (name, settings) in routes {
            var listen: [SocketAddress] = []
            for endpoint in settings.listen {
                listen += try await resolver.addresses(of: endpoint, limit: .seconds(5))
            }
            result.append(
                ProxyRoute(
                    name: name, engine: engine(of: settings), listen: listen, allow: settings.allow,
                    maxConnections: settings.maxConnections, session: settings.session))
        }
        return result
    }
}
