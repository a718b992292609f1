import FailoverConfiguration
import FailoverCore
import FailoverNotify

/// What outages cause beyond the services' own actions: settings are published, routes are closed. A value.
struct OutageEffects: Sendable {
    /// What is down of a service: itself, or some of the aliases that serve it side by side.
    private struct Fallen {
        let service: String
        var members: Set<String>
    }

    /// What a change has an effect on.
    struct Change: OptionSet {
        let rawValue: Int
        static let closures = Change(rawValue: 1)
        static let settings = Change(rawValue: 2)
    }

    private var services: [ServiceConfiguration] = []
    private var byName: [String: ServiceConfiguration] = [:]
    /// What is down of each service, the first to fall first.
    private var fallen: [Fallen] = []

    init(_ services: [ServiceConfiguration]) { follow(services) }

    /// The service is down, or this one of the aliases that serve it.
    mutating func begin(_ service: String, member: String) -> Change {
        change(service) { effects in
            if let index = effects.fallen.firstIndex(where: { $0.service == service }) {
                effects.fallen[index].members.insert(member)
            } else {
                effects.fallen.append(Fallen(service: service, members: [member]))
            }
        }
    }

    /// It is back.
    mutating func end(_ service: String, member: String) -> Change {
        change(service) { effects in
            guard let index = effects.fallen.firstIndex(where: { $0.service == service }) else { return }
            effects.fallen[index].members.remove(member)
            if effects.fallen[index].members.isEmpty { effects.fallen.remove(at: index) }
        }
    }

    /// Follows other services.
    ///
    /// - Parameter down: what is down of each service that has anything down.
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

    /// What is to be published.
    var settings: PublishedSettings {
        var settings = PublishedSettings(order: services.map(\.name))
        for service in down.compactMap({ byName[$0] }) where !service.failoverSettings.isEmpty {
            settings.publish(service.failoverSettings, of: service.name)
        }
        return settings
    }

    /// The routes that are closed, and why.
    func closures(_ table: RouteTable) -> [(route: Int, closure: RouteTable.Closure)] {
        down.flatMap { name -> [(route: Int, closure: RouteTable.Closure)] in
            guard let closure = byName[name]?.closure else { return [] }
            return table.routes.indices
                .filter { closure.routes.contains(table.routes[$0].name) && !table.routes[$0].isRetired }
                .map { ($0, RouteTable.Closure(service: name, message: closure.message)) }
        }
    }

    /// Names of the services that are down: those that do without no more of their own aliases than they may.
    private var down: [String] { fallen.filter(isDown).map(\.service) }

    private func isDown(_ fallen: Fallen) -> Bool { fallen.members.count > byName[fallen.service]?.spareReplicas ?? 0 }

    private mutating func follow(_ services: [ServiceConfiguration]) {
        self.services = services
        byName = Dictionary(services.map { ($0.name, $0) }) { first, _ in first }
    }

    /// - Returns: what it has an effect on that the service is down now, or is not any longer.
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
