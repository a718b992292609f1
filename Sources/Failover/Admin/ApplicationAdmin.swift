import FailoverAdmin
import FailoverCore
import FailoverMetrics
import FailoverProxy
import FailoverSystem
import Logging

/// The running application, as the admin plane sees and steers it.
final class ApplicationAdmin: Sendable {
    let events: EventRing
    let configuration: Configuration
    let plan: RoutePlan
    let board: RouteBoard
    let proxy: ProxyServer
    let publisher: SettingsPublisher
    let environment: MonitorEnvironment
    let targets: [Target]
    let registry: PrometheusRegistry
    let pins: RoutePins
    let started: WallTime
    let state: Lock<State>

    /// A service that is monitored, and what it is for people.
    struct Target: Sendable {
        let monitor: MonitoredService
        let type: String
        let location: String
    }

    struct State {
        var isListening = false
        var isStopping = false
        var history: TrafficHistory
        /// Of the latest scrape.
        var report: TrafficReport?
        /// By route: how often it has left its own alias.
        var failovers: [Int]
        var selections: [RouteSelection]
    }

    init(
        configuration: Configuration, plan: RoutePlan, board: RouteBoard, proxy: ProxyServer,
        publisher: SettingsPublisher, environment: MonitorEnvironment, targets: [Target], events: EventRing,
        registry: PrometheusRegistry
    ) {
        self.configuration = configuration
        self.plan = plan
        self.board = board
        self.proxy = proxy
        self.publisher = publisher
        self.environment = environment
        self.targets = targets
        self.events = events
        self.registry = registry
        pins = RoutePins(board: board, environment: environment)
        started = environment.timeOfDay()
        let table = board.table
        state = Lock(
            State(
                history: TrafficHistory(routes: plan.routes.count), failovers: plan.routes.map { _ in 0 },
                selections: table.routes.indices.map { table.selection(ofRoute: $0) }))
        provideMetrics()
        board.follow { [weak self] in self?.countFailovers($0) }
    }

    private func countFailovers(_ table: RouteTable) {
        state.withLock { state in
            for route in table.routes.indices {
                let selection = table.selection(ofRoute: route)
                defer { state.selections[route] = selection }
                guard let alias = selection.alias, let own = table.routes[route].aliases.first else { continue }
                if state.selections[route].alias == own, alias != own { state.failovers[route] += 1 }
            }
        }
    }

    /// The listeners are open.
    func noteListening() { state.withLock { $0.isListening = true } }

    /// A graceful shutdown has begun.
    func noteStopping() { state.withLock { $0.isStopping = true } }

    /// Looks at the sessions once a second, until the task is cancelled.
    func watchTraffic() async {
        while !Task.isCancelled {
            if let report = await traffic() { state.withLock { $0.history.add(report) } }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// What sessions have done; `nil` when the loops do not say so in time.
    func traffic() async -> TrafficReport? {
        let clock = environment.clock
        let report = Task { await proxy.trafficReport() }
        return await Patience.value(of: report, until: clock.now.advanced(by: .seconds(1)), clock: clock)
    }
}
