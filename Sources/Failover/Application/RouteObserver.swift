import FailoverCore
import FailoverMonitor
import FailoverProxy
import Logging

/// Reports what sessions observe to the monitors of the aliases.
struct RouteObserver: ProxyObserver {
    /// The monitors, by alias; `nil` for aliases that are not monitored.
    let monitors: [MonitoredService?]
    /// The aliases of each route.
    let aliases: [[Int]]
    /// For each route, the kinds of error that request a ping.
    let triggers: [Set<BackendErrorKind>]
    /// Asks servers which sessions are at a transaction boundary.
    let ask: @Sendable (BoundaryQuestion) -> Void
    let clock: MonotonicClock
    let log: Logger

    func sessionArrived(route: Int) {
        let now = clock.now
        for alias in aliases[route] {
            if let monitor = monitors[alias], monitor.gate.isOpen(at: now) { monitor.trigger(.newSession) }
        }
    }

    func backendIsDoubtful(alias: Int) { monitors[alias]?.trigger(.doubt) }

    func backendServed(alias: Int) { monitors[alias]?.trigger(.served) }

    func backendFailed(_ failure: BackendFailure, route: Int) {
        guard triggers[route].contains(failure.kind), let monitor = monitors[failure.alias] else { return }
        log.debug(
            "\(monitor.service.name): a session saw an error",
            metadata: ["kind": "\(failure.kind.rawValue)", "detail": "\(failure.detail)"])
        let error = ObservedError(kind: failure.kind, session: failure.session, detail: failure.detail)
        monitor.trigger(.observedError(error))
    }

    func boundariesWanted(_ question: BoundaryQuestion) { ask(question) }
}
