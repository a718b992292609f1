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

    private var services: [ServiceConfiguration]
    /// What is down of each service, the first to fall first.
    private var fallen: [Fallen] = []

    init(_ services: [ServiceConfiguration]) { self.services = services }

    /// The service is down, or this one of the aliases that serve it.
    mutating func begin(_ service: String, member: String) {
        if let index = fallen.firstIndex(where: { $0.service == service }) {
            fallen[index].members.insert(member)
        } else {
            fallen.append(Fallen(service: service, members: [member]))
        }
    }

    /// It is back.
    mutating func end(_ service: String, member: String) {
        for index in fallen.indices where fallen[index].service == service { fallen[index].members.remove(member) }
        fallen.removeAll(where: \.members.isEmpty)
    }

    /// Follows other services.
    ///
    /// - Parameter down: what is down of each service that has anything down.
    mutating func change(to services: [ServiceConfiguration], down: [(service: String, member: String)]) {
        let names = fallen.map(\.service) + services.map(\.name)
        self.services = services
        fallen = []
        for name in names where !fallen.contains(where: { $0.service == name }) {
            let members = Set(down.filter { $0.service == name }.map(\.member))
            if !members.isEmpty { fallen.append(Fallen(service: name, members: members)) }
        }
    }

    /// Names of the services that are down: those that do without no more of their own aliases than they may.
    private var down: [String] {
        let spare = Dictionary(services.map { ($0.name, $0.spareMembers) }) { first, _ in first }
        return fallen.filter { $0.members.count > spare[$0.service] ?? 0 }.map(\.service)
    }

    /// What is to be published.
    var settings: PublishedSettings {
        var settings = PublishedSettings(order: services.map(\.name))
        let down = Set(down)
        for service in services where down.contains(service.name) && !service.failoverSettings.isEmpty {
            settings.publish(service.failoverSettings, of: service.name)
        }
        return settings
    }

    /// The routes that are closed, and why.
    func closures(_ table: RouteTable) -> [(route: Int, closure: RouteTable.Closure)] {
        let closures = Dictionary(services.compactMap { service in service.closure.map { (service.name, $0) } }) {
            first, _ in first
        }
        return down.flatMap { name -> [(route: Int, closure: RouteTable.Closure)] in
            guard let closure = closures[name] else { return [] }
            return table.routes.indices
                .filter { closure.routes.contains(table.routes[$0].name) && !table.routes[$0].isRetired }
                .map { ($0, RouteTable.Closure(service: name, message: closure.message)) }
        }
    }
}
