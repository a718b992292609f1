import FailoverAdmin
import FailoverCore
import FailoverMetrics
import FailoverProxy
import FailoverSystem
import Logging

/// The running application, as the admin plane sees and steers it.
final class ApplicationAdmin: Sendable {
    let events: EventRing
    let current: @Sendable () -> Generation
    let board: RouteBoard
    let proxy: ProxyServer
    let consequences: Consequences
    let environment: MonitorEnvironment
    let registry: PrometheusRegistry
    let traffic: TrafficDesk
    let pins: RoutePins
    let drills: Drills
    let started: WallTime
    let state: Lock<State>
    /// Has the configuration loaded anew; `nil` when there is nothing to load it from.
    let reloadConfiguration: (@Sendable () async throws -> String)?

    struct State {
        var isListening = false
        var isStopping = false
        /// When the configuration was last loaded, and whether the latest attempt succeeded.
        var loaded: WallTime
        var isLoadedWell = true
        /// Of the latest scrape.
        var report: TrafficReport?
        /// By route: how often it has left its own alias.
        var failovers: [Int] = []
        var selections: [RouteSelection] = []
    }

    /// - Parameters:
    ///   - current: what runs now.
    ///   - reload: has the configuration loaded anew, and says what changed.
    init(
        current: @escaping @Sendable () -> Generation, board: RouteBoard, proxy: ProxyServer,
        consequences: Consequences, environment: MonitorEnvironment, events: EventRing, registry: PrometheusRegistry,
        reload: (@Sendable () async throws -> String)?
    ) {
        self.current = current
        self.board = board
        self.proxy = proxy
        self.consequences = consequences
        self.environment = environment
        self.events = events
        self.registry = registry
        traffic = TrafficDesk(proxy, environment.clock)
        reloadConfiguration = reload
        pins = RoutePins(board: board, environment: environment)
        drills = Drills(board: board, environment: environment)
        started = environment.timeOfDay()
        state = Lock(State(loaded: started))
        provideMetrics()
        board.follow { [weak self] in self?.countFailovers($0) }
    }

    private func countFailovers(_ table: RouteTable) {
        state.withLock { state in
            for route in table.routes.indices {
                let selection = table.selection(ofRoute: route)
                if route == state.selections.count {
                    state.selections.append(selection)
                    state.failovers.append(0)
                }
                defer { state.selections[route] = selection }
                guard let alias = selection.alias, let former = state.selections[route].alias else { continue }
                let own = table.routes[route].own
                if own.contains(former), !own.contains(alias) { state.failovers[route] += 1 }
            }
        }
    }

    /// The listeners are open.
    func noteListening() { state.withLock { $0.isListening = true } }

    /// A graceful shutdown has begun.
    func noteStopping() { state.withLock { $0.isStopping = true } }
}
