import FailoverCore

/// What a service's outage causes beyond its own action: settings are published, routes are closed.
struct Consequences: Sendable {
    /// The service's name.
    let service: String
    let settings: [String: String]
    /// Positions of routes in the route table.
    let closedRoutes: [Int]
    let message: String
    let publisher: SettingsPublisher
    let board: RouteBoard

    init(_ service: ServiceConfiguration, plan: RoutePlan, publisher: SettingsPublisher, board: RouteBoard) {
        self.service = service.name
        settings = service.failoverSettings
        let closed = service.closure?.routes ?? []
        closedRoutes = plan.routes.indices.filter { closed.contains(plan.routes[$0].name) }
        message = service.closure?.message ?? ""
        self.publisher = publisher
        self.board = board
    }

    /// The service is down.
    func begin() throws {
        for route in closedRoutes {
            board.close(route: route, RouteTable.Closure(service: service, message: message))
        }
        if !settings.isEmpty { try publisher.publish(settings, of: service) }
    }

    /// The service is back.
    func end() throws {
        for route in closedRoutes { board.reopen(route: route, after: service) }
        if !settings.isEmpty { try publisher.withdraw(service) }
    }
}

/// A service whose outages have consequences.
struct ConsequentialService: TimedService {
    let base: any FailoverCore.Service
    let consequences: [Consequences]

    var name: String { base.name }
    var settings: MonitorSettings { base.settings }

    func ping(limit: Duration) async throws { try await base.ping(limit: limit) }

    /// The consequences come first, and each is tried: a hook that fails must not keep a route open.
    func failover(because failure: PingFailure) async throws {
        let problems = consequences.compactMap { consequence in problem { try consequence.begin() } }
        try await base.failover(because: failure)
        if let problem = problems.first { throw problem }
    }

    func recover() async throws {
        let problems = consequences.compactMap { consequence in problem { try consequence.end() } }
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
