import FailoverChecks
public import FailoverCore

/// Something that can be pinged once, outside of any monitoring.
public struct PingTarget: Sendable {
    /// The alias's or the service's name.
    public let name: String
    /// Where it is.
    public let endpoint: Endpoint
    fileprivate let limit: Duration
    fileprivate let check: @Sendable (Duration) async throws(PingFailure) -> Void

    /// Pings once under the time limit of a service that is up.
    public func ping() async -> PingResult {
        let clock = ContinuousClock()
        let start = clock.now
        do throws(PingFailure) {
            try await check(limit)
            return PingResult(failure: nil, duration: start.duration(to: clock.now))
        } catch {
            return PingResult(failure: error, duration: start.duration(to: clock.now))
        }
    }
}

extension Configuration {
    /// Every database alias and every other service, in file order.
    public var pingTargets: [PingTarget] {
        let checks = CheckFactory()
        let aliases = databases.map { alias in
            let check = checks.check(of: alias.server)
            return PingTarget(
                name: alias.name, endpoint: alias.server.endpoint, limit: alias.monitor.pingTimeout
            ) { limit throws(PingFailure) in try await check.ping(limit: limit) }
        }
        let others = services.compactMap { service -> PingTarget? in
            guard case .watched(.tcp(let endpoint), let settings) = service.kind else { return nil }
            let check = checks.check(of: endpoint)
            return PingTarget(name: service.name, endpoint: endpoint, limit: settings.pingTimeout) {
                limit throws(PingFailure) in try await check.ping(limit: limit)
            }
        }
        return aliases + others
    }

    /// The names of the targets that a name means: the alias's or the service's own; for a route, all its aliases'.
    /// Empty for a name that is unknown.
    public func pingTargetNames(for name: String) -> [String] {
        if database(named: name) != nil { return [name] }
        return switch service(named: name)?.kind {
        case .database(let route): route.aliases
        case .watched: [name]
        case nil: []
        }
    }
}
