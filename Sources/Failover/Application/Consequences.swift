import FailoverCore
import FailoverNotify

/// What outages cause beyond the services' own actions: settings are published, routes are closed.
final class Consequences: Sendable {
    /// What is down of a service: itself, or some of the aliases that serve it side by side.
    private struct Fallen {
        let service: String
        var members: Set<String>
    }

    private struct State {
        var services: [ServiceConfiguration]
        /// What is down of each service, the first to fall first.
        var fallen: [Fallen] = []
        var file: SettingsFile?
        /// What the file says.
        var published: PublishedSettings

        init(_ configuration: Configuration) {
            services = configuration.services
            file = configuration.settingsFile.map { SettingsFile(path: $0) }
            published = PublishedSettings(order: services.map(\.name))
        }

        /// Names of the services that are down: those that do without no more of their own aliases than they may.
        var down: [String] {
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

    private let board: RouteBoard
    private let state: Lock<State>

    /// Writes the settings file for the first time: nothing is known to be down.
    ///
    /// - Throws: when it cannot be written.
    init(_ configuration: Configuration, board: RouteBoard) throws {
        self.board = board
        let state = State(configuration)
        try state.file?.replace(with: state.published.json)
        self.state = Lock(state)
    }

    /// Name/value pairs over all services that are down.
    var settings: [String: String] { state.withLock { $0.published.merged } }

    /// The service is down, or this one of the aliases that serve it.
    func begin(_ service: String, member: String) throws {
        try change { state in
            if let index = state.fallen.firstIndex(where: { $0.service == service }) {
                state.fallen[index].members.insert(member)
            } else {
                state.fallen.append(Fallen(service: service, members: [member]))
            }
        }
    }

    /// It is back.
    func end(_ service: String, member: String) throws {
        try change { state in
            for index in state.fallen.indices where state.fallen[index].service == service {
                state.fallen[index].members.remove(member)
            }
            state.fallen.removeAll(where: \.members.isEmpty)
        }
    }

    /// Sees that another configuration's settings file can be written, by writing what the present one's says.
    ///
    /// - Throws: when it cannot.
    func prepare(_ configuration: Configuration) throws {
        try state.withLock { state in
            guard let path = configuration.settingsFile, path != state.file?.path else { return }
            try SettingsFile(path: path).replace(with: state.published.json)
        }
    }

    /// Follows another configuration, whose routes the board has.
    ///
    /// - Parameter down: what is down of each service that has anything down.
    /// - Throws: when the settings file cannot be written; all else is done.
    func change(to configuration: Configuration, down: [(service: String, member: String)]) throws {
        try change { state in
            let former = state
            state = State(configuration)
            state.published = former.published
            if state.file?.path != former.file?.path {
                former.file?.remove()
                state.published = PublishedSettings(order: [])
            }
            let names = former.fallen.map(\.service) + configuration.services.map(\.name)
            for name in names where !state.fallen.contains(where: { $0.service == name }) {
                let members = Set(down.filter { $0.service == name }.map(\.member))
                if !members.isEmpty { state.fallen.append(Fallen(service: name, members: members)) }
            }
        }
    }

    /// The settings file is another process's from now on.
    func leave() { state.withLock { $0.file = nil } }

    /// Under the lock, so that files replace each other in the order of the changes.
    private func change(_ body: (inout State) -> Void) throws {
        try state.withLock { state in
            body(&state)
            // First: a file that cannot be written must keep no route open.
            board.replaceClosures(state.closures(board.table))
            let settings = state.settings
            guard settings != state.published else { return }
            state.published = settings
            try state.file?.replace(with: settings.json)
        }
    }
}

/// A service whose outages have consequences, as those of all these names, or as a part of them.
struct ConsequentialService: TimedService {
    let base: any FailoverCore.Service
    let names: [String]
    /// What it is of each of them.
    let member: String
    let consequences: Consequences

    var name: String { base.name }
    var settings: MonitorSettings { base.settings }

    func ping(limit: Duration) async throws { try await base.ping(limit: limit) }

    /// The consequences come first, and each is tried: a hook that fails must not keep a route open.
    func failover(because failure: PingFailure) async throws {
        let problems = names.compactMap { name in problem { try consequences.begin(name, member: member) } }
        try await base.failover(because: failure)
        if let problem = problems.first { throw problem }
    }

    func recover() async throws {
        let problems = names.compactMap { name in problem { try consequences.end(name, member: member) } }
        try await base.recover()
        if let problem = problems.first { throw problem }
    }

    func cleanup() async { await base.cleanup() }

    private func problem(_ body: () throws -> Void) -> (any Error)? {
        do {
            try body()
            return nil
        } catch {
            return error
        }
    }
}
