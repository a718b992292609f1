import FailoverChecks
public import FailoverCore

/// A target that can be pinged once, without monitoring.
public struct PingTarget: Sendable {
    /// `postgres`, `mysql`, `tcp`, `memcached`, `rabbitmq`, `redis` or `command`.
    public let type: String
    /// The address; several addresses are separated by commas.
    public let location: String
    fileprivate let service: any FailoverMonitor.Service

    /// The alias's or the service's name.
    public var name: String { service.name }

    /// Pings once, within the time limit of a service that is up.
    public func ping() async -> PingResult { await ping(limit: service.settings.pingTimeout) }

    /// Pings once, within this time limit or the service's, whichever is shorter.
    package func ping(limit: Duration) async -> PingResult {
        let clock = ContinuousClock()
        let start = clock.now
        var failure: PingFailure?
        do {
            try await service.ping(limit: min(limit, service.settings.pingTimeout))
        } catch {
            failure = error as? PingFailure ?? PingFailure(.other, "\(error)")
        }
        let staleness = failure == nil ? (service as? DatabaseService)?.staleness : nil
        return PingResult(failure: failure, duration: start.duration(to: clock.now), staleness: staleness)
    }
}

extension Configuration {
    /// Every database alias and every other service, in file order.
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

    /// The names of the targets that a name stands for: the alias or the service of that name, or all aliases of a
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
