import FailoverAdmin
import FailoverCore
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
    /// In the order of ``RoutePlan/aliases``.
    let aliasMonitors: [MonitoredService]
    /// Of services that are no routes, with what they are.
    let otherMonitors: [(monitor: MonitoredService, server: WatchedServer)]
    let pins: RoutePins
    let started: WallTime
    let state: Lock<State>

    struct State {
        var isListening = false
        var isStopping = false
        var history: TrafficHistory
    }

    init(
        configuration: Configuration, plan: RoutePlan, board: RouteBoard, proxy: ProxyServer,
        publisher: SettingsPublisher, environment: MonitorEnvironment, aliasMonitors: [MonitoredService],
        otherMonitors: [(MonitoredService, WatchedServer)], events: EventRing
    ) {
        self.configuration = configuration
        self.plan = plan
        self.board = board
        self.proxy = proxy
        self.publisher = publisher
        self.environment = environment
        self.aliasMonitors = aliasMonitors
        self.otherMonitors = otherMonitors.map { ($0, $1) }
        self.events = events
        pins = RoutePins(board: board, environment: environment)
        started = environment.timeOfDay()
        state = Lock(State(history: TrafficHistory(routes: plan.routes.count)))
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
