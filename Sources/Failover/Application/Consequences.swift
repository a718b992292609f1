import FailoverCore
import FailoverNotify

/// What outages cause beyond the services' own actions: settings are published, routes are closed.
final class Consequences: Sendable {
    private struct State {
        var services: [ServiceConfiguration]
        /// Names of those that are down, the first to fall first.
        var down: [String] = []
        var file: SettingsFile?
        /// What the file says.
        var published: PublishedSettings

        init(_ configuration: Configuration) {
            services = configuration.services
            file = configuration.settingsFile.map { SettingsFile(path: $0) }
            published = PublishedSettings(order: services.map(\.name))
        }

        /// What is to be published.
        var settings: PublishedSettings {
            var settings = PublishedSettings(order: services.map(\.name))
            for service in services where down.contains(service.name) && !service.failoverSettings.isEmpty {
                settings.publish(service.failoverSettings, of: service.name)
            }
            return settings
        }

        /// The routes that are closed, and why.
        func closures(_ table: RouteTable) -> [(route: Int, closure: RouteTable.Closure)] {
            down.flatMap { name -> [(route: Int, closure: RouteTable.Closure)] in
                guard let closure = services.first(where: { $0.name == name })?.closure else { return [] }
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

    /// The service is down.
    func begin(_ service: String) throws {
        try change { state in
            guard !state.down.contains(service) else { return }
            state.down.append(service)
        }
    }

    /// The service is back.
    func end(_ service: String) throws {
        try change { state in state.down.removeAll { $0 == service } }
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
    /// - Parameter isDown: says of a service whether it is down; what was known stays when it does not say.
    /// - Throws: when the settings file cannot be written; all else is done.
    func change(to configuration: Configuration, isDown: (String) -> Bool?) throws {
        try change { state in
            let former = state
            state = State(configuration)
            state.published = former.published
            if state.file?.path != former.file?.path {
                former.file?.remove()
                state.published = PublishedSettings(order: [])
            }
            let names = configuration.services.map(\.name)
            state.down = former.down.filter { names.contains($0) && isDown($0) ?? true }
            state.down += names.filter { !state.down.contains($0) && isDown($0) ?? false }
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

/// A service whose outages have consequences, as those of all these names.
struct ConsequentialService: TimedService {
    let base: any FailoverCore.Service
    let names: [String]
    let consequences: Consequences

    var name: String { base.name }
    var settings: MonitorSettings { base.settings }

    func ping(limit: Duration) async throws { try await base.ping(limit: limit) }

    /// The consequences come first, and each is tried: a hook that fails must not keep a route open.
    func failover(because failure: PingFailure) async throws {
        let problems = names.compactMap { name in problem { try consequences.begin(name) } }
        try await base.failover(because: failure)
        if let problem = problems.first { throw problem }
    }

    func recover() async throws {
        let problems = names.compactMap { name in problem { try consequences.end(name) } }
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
