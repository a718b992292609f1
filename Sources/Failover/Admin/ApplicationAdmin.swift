import FailoverAdmin
import FailoverCore
import FailoverProxy
import FailoverSystem
import FailoverTelemetry
import Logging

/// The part of the running application that the admin plane observes and controls.
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
    /// Reloads the configuration; `nil` if the application has no source of configurations.
    let reloadConfiguration: (@Sendable () async throws -> String)?

    struct State {
        var isListening = false
        var isStopping = false
        /// The time of the latest successful load.
        var loaded: WallTime
        /// Whether the latest attempt to load succeeded.
        var isLoadedWell = true
        /// The report for the latest scrape.
        var report: TrafficReport?
    }

    /// - Parameters:
    ///   - current: returns the running configuration.
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

    /// Removes the counts of routes whose positions other routes have taken.
    func forgetTraffic(ofRoutes routes: Set<Int>) {
        traffic.forget(routes: routes)
        if !routes.isEmpty { state.withLock { $0.report = nil } }
    }

    /// Records that the listeners are open.
    func noteListening() { state.withLock { $0.isListening = true } }

    /// Records that a graceful shutdown has begun.
    func noteStopping() { state.withLock { $0.isStopping = true } }
}
