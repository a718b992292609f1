import FailoverConfiguration
import FailoverCore
import FailoverNotify

/// The effects of outages in addition to the hooks of services: published settings and closed routes. This is a value
/// type.
struct OutageEffects: Sendable {
    /// The parts of a service that are down: the service itself, or some of the aliases that share its sessions.
    private struct Fallen {
        let service: String
        var members: Set<String>
    }

    /// What a change affects.
    struct Change: OptionSet {
        let rawValue: Int
        static let closures = Change(rawValue: 1)
        static let settings = Change(rawValue: 2)
    }

    private var services: [ServiceConfiguration] = []
    private var byName: [String: ServiceConfiguration] = [:]
    /// The services of which a part is down, in the order in which they went down.
    private var fallen: [Fallen] = []

    init(_ services: [ServiceConfiguration]) { follow(services) }

    /// Applies the event that a part of a service went down.
    mutating func begin(_ service: String, member: String) -> Change {
        change(service) { effects in
            if let index = effects.fallen.firstIndex(where: { $0.service == service }) {
                effects.fallen[index].members.insert(member)
            } else {
                effects.fallen.append(Fallen(service: service, members: [member]))
            }
        }
    }

    /// Applies the event that a part of a service is up again.
    mutating func end(_ service: String, member: String) -> Change {
        change(service) { effects in
            guard let index = effects.fallen.firstIndex(where: { $0.service == service }) else { return }
            effects.fallen[index].members.remove(member)
            if effects.fallen[index].members.isEmpty { effects.fallen.remove(at: index) }
        }
    }

    /// Applies the services of another configuration.
    ///
    /// - Parameter down: the services and the parts of them that are down.
    mutating func change(to services: [ServiceConfiguration], down: [(service: String, member: String)]) {
        let names = fallen.map(\.service) + services.map(\.name)
        let members = Dictionary(grouping: down, by: \.service)
        follow(services)
        fallen = []
        var known: Set<String> = []
        for name in names where known.insert(name).inserted {
            guard let members = members[name], !members.isEmpty else { continue }
            fallen.append(Fallen(service: name, members: Set(members.map(\.member))))
        }
    }

    /// The settings to publish.
    var settings: PublishedSettings {
        var settings = PublishedSettings(order: services.map(\.name))
        for service in down.compactMap({ byName[$0] }) where !service.failoverSettings.isEmpty {
            settings.publish(service.failoverSettings, of: service.name)
        }
        return settings
    }

    /// The closed routes, and why they are closed.
    func closures(_ table: RouteTable) -> [(route: Int, closure: RouteTable.Closure)] {
        down.flatMap { name -> [(route: Int, closure: RouteTable.Closure)] in
            guard let closure = byName[name]?.closure else { return [] }
            return table.routes.indices
                .filter { closure.routes.contains(table.routes[$0].name) && !table.routes[$0].isRetired }
                .map { ($0, RouteTable.Closure(service: name, message: closure.message)) }
        }
    }

    /// The names of the services that are down. A service is down if more than `spareReplicas` of its parts are.
    private var down: [String] { fallen.filter(isDown).map(\.service) }

    private func isDown(_ fallen: Fallen) -> Bool { fallen.members.count > byName[fallen.service]?.spareReplicas ?? 0 }

    private mutating func follow(_ services: [ServiceConfiguration]) {
        self.services = services
        byName = Dictionary(services.map { ($0.name, $0) }) { first, _ in first }
    }

    /// - Returns: what is affected, if the service has gone down or come up; otherwise nothing.
    private mutating func change(_ service: String, _ body: (inout OutageEffects) -> Void) -> Change {
        let wasDown = fallen.contains { $0.service == service && isDown($0) }
        body(&self)
        let nowDown = fallen.contains { $0.service == service && isDown($0) }
        guard nowDown != wasDown, let service = byName[service] else { return [] }
        var change: Change = []
        if service.closure != nil { change.insert(.closures) }
        if !service.failoverSettings.isEmpty { change.insert(.settings) }
        return change
    }
}
