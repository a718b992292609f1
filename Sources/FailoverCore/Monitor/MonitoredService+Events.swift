import Logging
import Metrics

/// What follows from an outage and a recovery.
extension MonitoredService {
    enum Decision {
        case event(FailoverEvent.Kind)
        /// The outage goes on, with other servers than before.
        case change(PingFailure)
    }

    func perform(_ decision: Decision, decidedAt time: WallTime) async {
        switch decision {
        case .event(let kind):
            await runHook(of: kind)
            let event = FailoverEvent(
                service: service.name, kind: kind, time: time, host: environment.host,
                processID: environment.processID, currentAlias: currentAlias())
            environment.log.log(event)
            onEvent(event)
        case .change(let failure):
            environment.log.warning("\(service.name) outage goes on, changed", metadata: failure.metadata)
        }
    }

    private func runHook(of kind: FailoverEvent.Kind) async {
        do {
            switch kind {
            case .outage(let failure): try await service.failover(because: failure)
            case .recovery: try await service.recover()
            case .reminder, .stale, .fresh: break
            }
        } catch {
            hookFailures.increment()
            environment.log.error("\(service.name): the hook of an event failed", metadata: ["error": "\(error)"])
        }
    }
}
