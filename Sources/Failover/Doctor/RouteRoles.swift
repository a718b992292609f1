import FailoverCore

/// Which alias of a route is its primary, and which are to follow that one.
struct RouteRoles: Hashable, Sendable {
    /// The alias with `role: primary`; else `default`; else the first failover alias. `nil` if there is none.
    let primary: DatabaseAlias?
    /// All others, but for those with `role: primary`.
    let replicas: [DatabaseAlias]

    init(_ route: DatabaseRoute, in configuration: Configuration) {
        let aliases = route.aliases.compactMap { configuration.database(named: $0) }
        let primary =
            aliases.first { $0.server.role == .primary } ?? aliases.first { $0.name == "default" }
            ?? aliases.dropFirst(route.ownCount).first { $0.server.role != .replica }
        self.primary = primary
        replicas = aliases.filter { $0.name != primary?.name && $0.server.role != .primary }
    }
}

extension Configuration {
    /// The routes by their names, in file order.
    var databaseRoutes: [(name: String, route: DatabaseRoute)] {
        services.compactMap { service in
            if case .database(let route) = service.kind { (service.name, route) } else { nil }
        }
    }

    /// Whether the alias is to be a replica: by its `role`, by what is asked of it, or by its place in a route.
    func isReplica(_ alias: DatabaseAlias) -> Bool {
        guard alias.server.engine != .tcp, alias.server.role != .primary else { return false }
        return alias.server.role == .replica || alias.server.replication != nil
            || databaseRoutes.contains { RouteRoles($0.route, in: self).replicas.contains { $0.name == alias.name } }
    }
}
