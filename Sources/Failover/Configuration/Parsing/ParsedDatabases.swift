import FailoverCore

/// The `databases` of a file: what is named there, and what of it is right.
struct ParsedDatabases {
    /// Every alias that the file defines, whether or not all of it is right; in file order.
    var names: [String] = []
    /// The engines that are right.
    var engines: [String: DatabaseServer.Engine] = [:]
    /// The aliases that could be read, in file order.
    var aliases: [DatabaseAlias] = []

    /// Where their `max_lag` stands.
    var lagLimits: [String: Place] = [:]

    /// The aliases with the settings of the services whose `db_alias` they are. Their pings begin as sessions do.
    func configured(with services: [ParsedService]) -> [DatabaseAlias] {
        aliases.map { alias in
            var alias = alias
            for service in services where service.ownAliases.contains(alias.name) {
                alias.monitor = service.overrides.applied(to: alias.monitor)
            }
            alias.server.proxyHeader = services.lazy.compactMap { $0.proxyHeader(to: alias.name) }.first
            return alias
        }
    }
}
