import FailoverCore

/// Finds what no service is wrong about alone.
struct ServiceConflicts {
    let services: [ParsedService]
    let databases: ParsedDatabases
    let log: ProblemLog

    func report() {
        reportNames()
        reportListeners()
        reportOverrides()
        reportClosures()
        reportLagLimits()
    }

    /// A replica that is looked at less often than its data may be old is found too late.
    private func reportLagLimits() {
        for alias in databases.configured(with: services) {
            guard let place = databases.lagLimits[alias.name], let limit = alias.server.replication?.maxLag else {
                continue
            }
            let interval = alias.monitor.frequencies.monitoringInterval
            if interval > limit {
                log.report(
                    "cannot be held: the replica is looked at every \(interval.configurationText); set the alias's "
                        + "`monitoring_ping_frequency` to \(limit.configurationText) or less", at: place)
            }
        }
    }

    /// Only what has a listener can refuse.
    private func reportClosures() {
        for service in services {
            for (name, place) in service.closedRoutes {
                guard let named = services.first(where: { $0.name == name }) else {
                    log.report("no such service: \(name.quotedForMessage)", at: place)
                    continue
                }
                if case .watched = named.kind {
                    log.report("\(name.quotedForMessage) has no listeners: it is not of type database", at: place)
                }
            }
        }
    }

    private func reportNames() {
        for service in services where databases.names.contains(service.name) {
            let serves =
                switch service.kind {
                case .database(let route): !service.knowsItsAliases || route.aliases.contains(service.name)
                case .watched: false
                case nil: true
                }
            if !serves { log.report("named like a database alias that it does not serve", at: service.place) }
        }
    }

    private func reportListeners() {
        var earlier: [(endpoint: Endpoint, owner: Place)] = []
        for service in services {
            for (endpoint, place) in service.listeners {
                if let other = earlier.first(where: { $0.endpoint.collides(with: endpoint) }) {
                    log.report("\(endpoint) is already taken by \(other.owner.keyPath)", at: place)
                } else if let alias = databases.aliases.first(where: {
                    $0.server.endpoints.contains { $0.reaches(endpoint) }
                }) {
                    let name = alias.name.quotedForMessage
                    log.report("the proxy would connect to itself: database alias \(name) is here", at: place)
                }
                earlier.append((endpoint, service.place))
            }
        }
    }

    /// An alias has one monitor, so services that share it must agree on what they override.
    private func reportOverrides() {
        for (index, service) in services.enumerated() {
            let sharing = services[..<index].filter { other in
                other.ownAliases.contains(where: service.ownAliases.contains)
            }
            for (key, place, change) in service.overrides.changes {
                let other = sharing.first { other in other.overrides.change(of: key).map { $0 != change } == true }
                if let other {
                    log.report("\(other.place.keyPath), which has the same db_alias, sets another value", at: place)
                }
            }
        }
    }
}

extension Endpoint {
    /// Whether connecting here surely arrives at a listener of this machine at `listener`.
    fileprivate func reaches(_ listener: Endpoint) -> Bool {
        switch (self, listener) {
        case (.unix(let path), .unix(let listenerPath)): path == listenerPath
        case (.tcp(let host, let port), .tcp(let listenerHost, let listenerPort)):
            port == listenerPort && HostName.connects(host, toListenerAt: listenerHost)
        default: false
        }
    }
}
