import Logging
import Metrics

/// What follows from what was decided.
extension MonitoredService {
    enum Decision {
        case event(FailoverEvent.Kind)
        /// The outage goes on, with other servers than before.
        case change(PingFailure)
        case suspect(ObservedError)
        case refusesSessions(ServiceStanding.Availability, ObservedError)
        case couldNotAsk(PingFailure)

        /// `nil` of the start of a ping.
        init?(_ action: ServiceStateMachine.Action) {
            switch action {
            case .startPing: return nil
            case .suspect(let error): self = .suspect(error)
            case .refusesSessions(let availability, let error): self = .refusesSessions(availability, error)
            case .outage(let failure): self = .event(.outage(failure))
            case .reminder(let failure, let lasting): self = .event(.reminder(failure, lasting: lasting))
            case .change(let failure): self = .change(failure)
            case .recovery(let duration): self = .event(.recovery(after: duration))
            case .degraded(let failure, let fromTheStart):
                self = .event(.degraded(failure, lasting: .zero, fromTheStart: fromTheStart))
            case .stillDegraded(let failure, let lasting):
                self = .event(.degraded(failure, lasting: lasting, fromTheStart: false))
            case .healthy(let duration): self = .event(.healthy(after: duration))
            case .couldNotAsk(let failure): self = .couldNotAsk(failure)
            }
        }
    }

    func perform(_ decision: Decision, decidedAt time: WallTime) async {
        let (log, name) = (environment.log, service.name)
        switch decision {
        case .event(let kind):
            await runHook(of: kind)
            let event = FailoverEvent(
                service: service.name, kind: kind, time: time, host: environment.host,
                processID: environment.processID, currentAlias: currentAlias())
            log.log(event)
            onEvent(event)
        case .change(let failure): log.warning("\(name) outage goes on, changed", metadata: failure.metadata)
        case .suspect(let error):
            log.info("\(name) is suspect: new sessions try other servers first.", metadata: error.metadata)
        case .refusesSessions(let availability, let error):
            log.info(
                "\(name) is \(availability.rawValue): new sessions try other servers first.", metadata: error.metadata)
        case .couldNotAsk(let failure):
            log.error("\(name) could not be pinged. Its state stays as it is.", metadata: failure.metadata)
        }
    }

    private func runHook(of kind: FailoverEvent.Kind) async {
        do {
            switch kind {
            case .outage(let failure): try await service.failover(because: failure)
            case .recovery: try await service.recover()
            case .reminder, .stale, .fresh, .degraded, .healthy: break
            }
        } catch {
            hookFailures.increment()
            environment.log.error("\(service.name): the hook of an event failed", metadata: ["error": "\(error)"])
        }
    }
}

extension ObservedError {
    fileprivate var metadata: Logger.Metadata { ["kind": "\(kind.rawValue)", "detail": "\(detail)"] }
}
