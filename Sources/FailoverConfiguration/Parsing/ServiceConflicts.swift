import FailoverCore

/// Finds conflicts between services that are valid on their own.
struct ServiceConflicts {
    let services: [ParsedService]
    let databases: ParsedDatabases
    let file: SourceFile

    func report() {
        reportNames()
        reportListeners()
        reportOverrides()
        reportClosures()
        reportLagLimits()
    }

    /// Reports a `max_lag` that is shorter than the interval of the replica's pings: such pings would detect the lag
    /// too late.
    private func reportLagLimits() {
        for alias in databases.configured(with: services) {
            guard let location = databases.lagLimits[alias.name], let limit = alias.server.replication?.maxLag else {
                continue
            }
            let interval = alias.monitor.frequencies.monitoringInterval
            if interval > limit {
                file.report(
                    "cannot be enforced: the replica is pinged every \(interval.configurationText); set the alias's "
                        + "`monitoring_ping_frequency` to \(limit.configurationText) or less", at: location)
            }
        }
    }

    /// Reports each `close_during_outage` that names a service without listeners, which has no sessions to refuse.
    private func reportClosures() {
        for service in services {
            let routes = service.section["close_during_outage"]?.muted.section()?["routes"]
            for value in routes?.elementsIfAny ?? [] {
                guard let name = value.textIfAny, !name.isEmpty else { continue }
                guard let named = services.first(where: { $0.name == name }) else {
                    file.report("no such service: \(name.quotedForMessage)", at: value.location)
                    continue
                }
                if !named.configuration.isRoute {
                    file.report(
                        "\(name.quotedForMessage) has no listeners: it is not of type database", at: value.location)
                }
            }
        }
    }

    private func reportNames() {
        for service in services where databases.names.contains(service.name) {
            if let route = service.route,
                !service.knowsItsAliases || route.aliases.contains(service.name)
            {
                continue
            }
            file.report(
                "the name is that of a database alias that the service does not serve", at: service.section.location)
        }
    }

    private func reportListeners() {
        var earlier: [(endpoint: Endpoint, owner: SourceLocation)] = []
        for service in services {
            for (endpoint, location) in service.listeners {
                if let other = earlier.first(where: { $0.endpoint.collides(with: endpoint) }) {
                    file.report("\(endpoint) is already taken by \(other.owner.keyPath)", at: location)
                } else if let alias = databases.aliases.first(where: {
                    $0.server.endpoints.contains { $0.reaches(endpoint) }
                }) {
                    let name = alias.name.quotedForMessage
                    file.report(
                        "the proxy would connect to itself: database alias \(name) has this address", at: location)
                }
                earlier.append((endpoint, service.section.location))
            }
        }
    }

    /// Reports services that have the same alias and override its settings differently: an alias has only one monitor.
    private func reportOverrides() {
        var first: [String: [String: (owner: SourceLocation, value: Value)]] = [:]
        for service in services {
            for key in Schema.monitorKeys {
                guard let value = service.section[key.name], let route = service.route else { continue }
                let others = route.ownAliases.compactMap { first[$0]?[key.name] }
                if let other = others.first(where: { !key.reads(value, like: $0.value) }) {
                    value.report("\(other.owner.keyPath), which has the same db_alias, sets another value")
                }
                for alias in route.ownAliases where first[alias]?[key.name] == nil {
                    first[alias, default: [:]][key.name] = (service.section.location, value)
                }
            }
        }
    }
}

extension Key<MonitorSettings> {
    /// Whether both values read as the same settings. A wrong value counts as equal to any other.
    fileprivate func reads(_ a: Value, like b: Value) -> Bool {
        var (settingsOfA, settingsOfB) = (MonitorSettings(), MonitorSettings())
        guard let read, read(a.muted, &settingsOfA), read(b.muted, &settingsOfB) else { return true }
        return settingsOfA == settingsOfB
    }
}

extension Endpoint {
    /// Whether a connection to this endpoint certainly arrives at a listener of this machine at `listener`.
    fileprivate func reaches(_ listener: Endpoint) -> Bool {
        switch (self, listener) {
        case (.unix(let path), .unix(let listenerPath)): path == listenerPath
        case (.tcp(let host, let port), .tcp(let listenerHost, let listenerPort)):
            port == listenerPort && HostName.connects(host, toListenerAt: listenerHost)
        default: false
        }
    }
}
