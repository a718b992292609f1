import FailoverCore
import FailoverProxy
import Logging

/// Brings what sessions see to the monitors of the aliases concerned.
struct RouteObserver: ProxyObserver {
    /// Monitors by alias.
    let monitors: [MonitoredService]
    /// Aliases by route.
    let aliases: [[Int]]
    /// The kinds of error that ask for a ping, by route.
    let triggers: [Set<BackendErrorKind>]
    let clock: MonotonicClock
    let log: Logger

    func sessionArrived(route: Int) {
        let now = clock.now
        for alias in aliases[route] where monitors[alias].gate.isOpen(at: now) {
            monitors[alias].trigger(.newSession)
        }
    }

    func backendIsSlow(alias: Int) { monitors[alias].trigger(.doubt) }

    func backendFailed(_ failure: BackendFailure, route: Int) {
        guard triggers[route].contains(failure.kind) else { return }
        log.debug(
            "\(monitors[failure.alias].service.name): a session saw an error",
            metadata: ["kind": "\(failure.kind.rawValue)", "detail": "\(failure.detail)"])
        monitors[failure.alias].trigger(.observedError)
    }
}
