import FailoverCore

extension ConfigurationParser {
    /// - Parameter databases: `nil` if the section could not be read. Then the aliases of the services are not checked.
    func readServices(
        _ entries: [(name: String, value: Value)], databases: ParsedDatabases?, monitor: MonitorSettings
    ) -> [ParsedService] {
        entries.compactMap { name, value in
            guard let section = value.section(), let schema = type(of: section)?.choice(among: Schema.serviceTypes)
            else {
                return nil
            }
            var service = ParsedService(
                configuration: schema.initial, section: section.checked(as: schema.vocabulary))
            service.configuration.name = name
            service.configuration.inherit(monitor)
            schema.read(service.section, into: &service.configuration)
            switch service.configuration.kind {
            case .database(let route): readAliases(of: &service, route, databases: databases)
            case .watched(.tcp, let settings):
                guard let server = endpoint(service.section, defaultPort: nil, needsPort: true) else { break }
                service.configuration.kind = .watched(.tcp(server), settings)
            case .watched: break
            }
            return service
        }
    }

    /// The `type`. It decides which keys a service has, so it is read before the keys are checked.
    private func type(of section: Section) -> Value? {
        let misspelt = section.entries.first { KeySuggestion.nearest(to: $0.key, among: ["type"]) != nil }
        return section["type"] ?? misspelt?.value ?? section.required("type")
    }

    /// Reads the aliases of a route, and checks the keys that depend on them.
    private func readAliases(of service: inout ParsedService, _ route: DatabaseRoute, databases: ParsedDatabases?) {
        guard let databases else { return }
        var route = route
        let section = service.section
        var reader = RouteAliases(databases: databases, file: file)
        reader.read(section)
        service.knowsItsAliases = reader.allDefined
        route.aliases = reader.aliases
        route.preferredCount = reader.preferredCount
        if route.session.failoverReadOnly, reader.engine == .tcp {
            section["failover_read_only"]?.report("not used with engine tcp: its sessions are not read")
        }
        if route.clientTLS != nil { checkClientTLS(section["client_tls"], reader, databases) }
        if route.minReplicas > route.preferredCount, reader.allDefined {
            section["min_replicas"]?.report(
                "must not exceed the number of aliases in `db_alias`, \(route.preferredCount)")
        }
        service.configuration.kind = .database(route)
    }

    /// Reports a `client_tls` that the route's aliases make useless.
    private func checkClientTLS(_ section: Value?, _ reader: RouteAliases, _ databases: ParsedDatabases) {
        if reader.engine == .tcp { section?.report("not used with engine tcp: its sessions are not read") }
        for alias in databases.aliases
        where reader.aliases.contains(alias.name) && alias.server.engine == .mysql && alias.server.tls == .disable {
            section?.report(
                "`\(alias.name)` has `tls: disable`: with engine mysql both connections of a session are encrypted or "
                    + "neither is")
        }
    }
}

extension ServiceConfiguration {
    /// Applies the settings of the top level, except those for which the type has its own defaults.
    fileprivate mutating func inherit(_ settings: MonitorSettings) {
        var settings = settings
        settings.bothTimeouts = ownMonitor.pingTimeout
        // The service moves no route, so a server that refuses the monitor counts as down.
        settings.refusedPing = .down
        ownMonitor = settings
    }
}
