import FailoverAdmin
import FailoverCore
import FailoverProxy
import FailoverSystem
import FailoverTelemetry
import Logging

/// The running application, as the admin plane sees and steers it.
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
    }

    /// - Parameters:
    ///   - current: what runs now.
    ///   - reload: has the configuration loaded anew, and says what changed.
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

    /// The listeners are open.
    func noteListening() { state.withLock { $0.isListening = true } }

    /// A graceful shutdown has begun.
    func noteStopping() { state.withLock { $0.isStopping = true } }
}
