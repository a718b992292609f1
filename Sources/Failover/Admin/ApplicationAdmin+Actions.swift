import FailoverAdmin
import FailoverCore
import FailoverProxy
import FailoverSystem
import Logging

extension ApplicationAdmin: AdminBackend {
    func sessions(route name: String?, after: UInt64, limit: Int) async throws(AdminError) -> [SessionDocument] {
        var route: Int?
        if let name { route = try self.route(named: name) }
        let sessions = await proxy.sessions(SessionQuery(route: route, after: after, limit: limit))
        // The table is read after the sessions, so that it has the positions of all of them.
        let table = control.table
        return sessions.map { session in
            SessionDocument(
                id: session.id, route: table.routes[session.route].name,
                alias: session.alias.map { table.aliases[$0].name }, client: session.client, age: session.age,
                idle: session.idle, bytesFromClient: session.fromClient, bytesFromBackend: session.fromBackend,
                boundary: session.boundary)
        }
    }

    func ping(service name: String) async throws(AdminError) -> String {
        guard let monitor = current().targets.first(where: { $0.monitor.service.name == name })?.monitor else {
            throw .unknown("there is no service \(name)")
        }
        await monitor.monitor(.operator)
        guard let latest = monitor.report.history.latest else { return "\(name): no answer yet" }
        let message = latest.result.failure.map { "\($0)" } ?? "up, \(latest.result.duration.inWords)"
        return "\(name): \(message)"
    }

    func `switch`(route name: String, to aliasName: String, for duration: Duration?) throws(AdminError) -> String {
        let route = try route(named: name)
        let table = control.table
        guard let alias = table.routes[route].aliases.first(where: { table.aliases[$0].name == aliasName }) else {
            throw .unknown("route \(name) has no alias \(aliasName)")
        }
        if table.aliases[alias].isDraining { throw .conflict("\(aliasName) is drained; undrain it first") }
        control.pin(route: route, to: alias, for: duration)
        let time = duration.map { " for \($0.inWords)" } ?? " until it is released"
        return note(.switch, name, "\(name) is switched to \(aliasName)\(time)")
    }

    func release(route name: String) throws(AdminError) -> String {
        let route = try route(named: name)
        guard control.release(route: route) else { throw .conflict("\(name) is not switched to any alias") }
        return note(.release, name, "\(name) is released")
    }

    func drain(alias name: String) throws(AdminError) -> String {
        try setDraining(name, true)
        return note(.drain, name, "\(name) is drained: it gets no new sessions, and its open sessions move away")
    }

    func undrain(alias name: String) throws(AdminError) -> String {
        try setDraining(name, false)
        return note(.undrain, name, "\(name) is back in service")
    }

    func closeSessions(route name: String, alias aliasName: String?) throws(AdminError) -> String {
        let route = try route(named: name)
        let table = control.table
        var alias: Int?
        if let aliasName {
            alias = table.routes[route].aliases.first { table.aliases[$0].name == aliasName }
            if alias == nil { throw .unknown("route \(name) has no alias \(aliasName)") }
        }
        proxy.closeSessions(ofRoute: route, alias: alias)
        return note(.close, name, "sessions of \(name)\(aliasName.map { " on \($0)" } ?? "") are closed")
    }

    func reload() async throws(AdminError) -> String {
        guard let reloadConfiguration else { throw .conflict("this program cannot reload its configuration") }
        let result: Result<String, any Error>
        do {
            result = .success(try await reloadConfiguration())
        } catch {
            result = .failure(error)
        }
        switch result {
        case .success(let change):
            state.withLock { ($0.loaded, $0.isLoadedWell) = (environment.timeOfDay(), true) }
            return note(.reload, "configuration", "configuration reloaded: \(change)")
        case .failure(let error):
            state.withLock { $0.isLoadedWell = false }
            let message = "configuration not reloaded, nothing has changed: \(error)"
            environment.log.error("\(message)")
            events.add(AdminEvent(.reload, "configuration", message, at: environment.timeOfDay()))
            throw .conflict(message)
        }
    }

    func route(named name: String) throws(AdminError) -> Int {
        guard let route = control.table.routes.firstIndex(where: { $0.name == name && !$0.isRetired }) else {
            throw .unknown("there is no route \(name)")
        }
        return route
    }

    private func setDraining(_ name: String, _ isDraining: Bool) throws(AdminError) {
        guard let alias = control.table.aliases.firstIndex(where: { $0.name == name && !$0.isRetired }) else {
            throw .unknown("no route has an alias \(name)")
        }
        guard control.table.aliases[alias].isDraining != isDraining else {
            throw .conflict(isDraining ? "\(name) is drained already" : "\(name) is not drained")
        }
        control.drain(alias: alias, isDraining)
    }

    /// Writes an operator's action to the log and to the events, and returns the message.
    @discardableResult
    func note(_ kind: AdminEvent.Kind, _ subject: String, _ message: String) -> String {
        environment.log.notice("\(message)", metadata: ["by": "operator"])
        let current = control.table.routes.firstIndex { $0.name == subject && !$0.isRetired }
            .flatMap { control.table.selection(ofRoute: $0).alias }.map { control.table.aliases[$0].name }
        events.add(AdminEvent(kind, subject, message, at: environment.timeOfDay(), currentAlias: current))
        return message
    }
}
