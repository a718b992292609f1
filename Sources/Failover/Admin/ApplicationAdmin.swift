import FailoverAdmin
import FailoverCore
import FailoverProxy
import FailoverSystem
import FailoverTelemetry
import Logging

/// The running application, as the admin plane observes and controls it.
final class ApplicationAdmin: Sendable {
    let events: EventRing
    let current: @Sendable () -> RunningConfiguration
    let control: ControlPlane
    let proxy: ProxyServer
    let environment: MonitorEnvironment
    let registry: PrometheusRegistry
    let traffic: TrafficCollector
    let started: WallTime
    let state: Lock<State>
    /// Reloads the configuration; `nil` if there is no source to load it from.
    let reloadConfiguration: (@Sendable () async throws -> String)?

    struct State {
        var isListening = false
        var isStopping = false
        /// The time of the latest successful load, and whether the latest attempt succeeded.
        var loaded: WallTime
        var isLoadedWell = true
        /// The report for the latest scrape.
        var report: TrafficReport?
    }

    /// - Parameters:
    ///   - current: the running configuration.
    ///   - reload: reloads the configuration, and returns what changed.
    init(
        current: @escaping @Sendable () -> RunningConfiguration, control: ControlPlane, proxy: ProxyServer,
        environment: MonitorEnvironment, events: EventRing, registry: PrometheusRegistry,
        reload: (@Sendable () async throws -> String)?
    ) {
        self.current = current
        self.control = control
        self.proxy = proxy
        self.environment = environment
        self.events = events
        self.registry = registry
        traffic = TrafficCollector(proxy, environment.clock)
        reloadConfiguration = reload
        started = environment.timeOfDay()
        state = Lock(State(loaded: started))
        provideMetrics()
        control.onEnding { [weak self] in self?.note($0) }
    }

    /// Forgets what was counted of routes whose positions were given to others.
    func forgetTraffic(ofRoutes routes: Set<Int>) {
        traffic.forget(routes: routes)
        if !routes.isEmpty { state.withLock { $0.report = nil } }
    }

    /// Records that the listeners are open.
    func noteListening() { state.withLock { $0.isListening = true } }

    /// Records that a graceful shutdown has begun.
    func noteStopping() { state.withLock { $0.isStopping = true } }
}
