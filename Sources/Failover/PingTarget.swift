import FailoverChecks
public import FailoverCore

/// A database alias or a service that you can ping once, without monitoring.
public struct PingTarget: Sendable {
    /// The kind of target: `postgres`, `mysql`, `tcp`, `memcached`, `rabbitmq`, `redis` or `command`.
    public let type: String
    /// The address, or several, separated by commas; the program of a command.
    public let location: String
    fileprivate let service: any FailoverMonitor.Service

    /// The name of the alias or of the service.
    public var name: String { service.name }

    /// Pings once, within the time limit for a service that is up. It does not throw: the result contains the failure.
    public func ping() async -> PingResult { await ping(limit: service.settings.pingTimeout) }

    /// Pings once, within the shorter of this time limit and the service's.
    package func ping(limit: Duration) async -> PingResult {
        let clock = ContinuousClock()
        let start = clock.now
        var failure: PingFailure?
        do {
            try await service.ping(limit: min(limit, service.settings.pingTimeout))
        } catch {
            failure = error as? PingFailure ?? PingFailure(.other, "\(error)")
        }
        let database = failure == nil ? service as? DatabaseService : nil
        return PingResult(
            failure: failure, duration: start.duration(to: clock.now), staleness: database?.staleness,
            tls: database?.tls)
    }
}

extension Configuration {
    /// The ping targets: every database alias, then every service that is not a route, in file order.
    public var pingTargets: [PingTarget] {
        let checks = CheckFactory()
        let aliases = databases.map { alias in
            PingTarget(
                type: alias.server.engine.rawValue, location: alias.server.place,
                service: DatabaseService(
                    name: alias.name, server: alias.server, settings: alias.monitor, checks: checks))
        }
        let others = services.compactMap { service -> PingTarget? in
            guard case .watched(let server, _) = service.kind, let pinged = service.watched(checks) else {
                return nil
            }
            return PingTarget(type: server.typeName, location: server.location, service: pinged)
        }
        return aliases + others
    }

    /// The names of the targets to which a name refers: the alias or the service with this name, or all aliases of a
    /// route. Empty for an unknown name.
    public func pingTargetNames(for name: String) -> [String] {
        if database(named: name) != nil { return [name] }
        return switch service(named: name)?.kind {
        case .database(let route): route.aliases
        case .watched: [name]
        case nil: []
        }
    }
}
