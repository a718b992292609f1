import FailoverCore
import FailoverProxy

/// One of the `services` of a file, with the places that checks across services report at.
struct ParsedService {
    var name: String
    var place: Place
    /// `nil` if its type is not known or something it cannot do without is wrong.
    var kind: ServiceConfiguration.Kind?
    /// Those of `db_alias` that are defined.
    var ownAliases: [String] = []
    /// Whether each alias that the service names is defined.
    var knowsItsAliases = false
    var listeners: [(endpoint: Endpoint, place: Place)] = []
    var overrides: MonitorOverrides
    var failoverSettings: [String: String] = [:]
    /// The routes of `close_during_outage`, and what they say then.
    var closedRoutes: [(name: String, place: Place)] = []
    var closureMessage = ""

    /// The PROXY header that its sessions send to an alias first.
    func proxyHeader(to alias: String) -> ProxyHeaderVersion? {
        guard case .database(let route) = kind, route.aliases.contains(alias) else { return nil }
        return route.session.sendProxy
    }

    /// The service as the configuration holds it.
    var configuration: ServiceConfiguration? {
        let closure =
            closedRoutes.isEmpty ? nil : RouteClosure(routes: closedRoutes.map(\.name), message: closureMessage)
        return kind.map {
            ServiceConfiguration(name: name, kind: $0, failoverSettings: failoverSettings, closure: closure)
        }
    }
}
