import FailoverCore

/// The section `databases` of a file: all names, and the parts that are valid.
struct ParsedDatabases {
    /// Every alias that the file defines, valid or not, in file order.
    var names: [String] = []
    /// The engine of each alias whose engine is valid.
    var engines: [String: DatabaseServer.Engine] = [:]
    /// The aliases whose values are sections, in file order.
    var aliases: [DatabaseAlias] = []
    /// The location of each alias's `max_lag`.
    var lagLimits: [String: SourceLocation] = [:]

    /// The aliases with the monitor settings of the services that have them as `db_alias`. The pings of an alias send
    /// the same PROXY header as the sessions of the first route that sends one to it.
    func configured(with services: [ParsedService]) -> [DatabaseAlias] {
        var aliases = aliases
        let locations = Dictionary(zip(aliases.map(\.name), aliases.indices)) { first, _ in first }
        for service in services {
            guard let route = service.route else { continue }
            for index in route.ownAliases.compactMap({ locations[$0] }) {
                aliases[index].monitor = service.section.monitorSettings(over: aliases[index].monitor)
            }
            for index in route.aliases.compactMap({ locations[$0] }) where aliases[index].server.proxyHeader == nil {
                aliases[index].server.proxyHeader = route.session.sendProxy
            }
        }
        return aliases
    }
}

/// One of the `services` of a file. Checks across services report at the locations in its section.
struct ParsedService {
    var configuration: ServiceConfiguration
    let section: Section
    /// Whether each alias that the service names is defined.
    var knowsItsAliases = false

    var name: String { configuration.name }

    /// The route of a service of type database; `nil` for other types.
    var route: DatabaseRoute? { if case .database(let route) = configuration.kind { route } else { nil } }

    /// The valid listeners of the service.
    var listeners: [(endpoint: Endpoint, location: SourceLocation)] {
        let values = configuration.isRoute ? section["listen"]?.elementsIfAny ?? [] : []
        return values.compactMap { value in
            ValueKind.listener.read(value.muted).map { ($0, value.location) }
        }
    }
}
