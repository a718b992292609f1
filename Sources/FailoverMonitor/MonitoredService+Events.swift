package import FailoverCore
package import Logging
import Metrics

/// Performs the decisions of the state machine: hooks, log lines and events.
extension MonitoredService {
    enum Decision {
        case event(FailoverEvent.Kind)
        /// The service is still down, but other servers of its pool are down than before.
        case change(PingFailure)
        case suspect(ObservedError)
        case refusesSessions(ServiceStanding.Availability, ObservedError)
        case couldNotAsk(PingFailure)
        case moved(from: Endpoint, to: Endpoint)

        /// `nil` if the action starts a ping.
        init?(_ action: ServiceAction) {
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
            case .moved(let former, let server): self = .moved(from: former, to: server)
            case .stale(let staleness): self = .event(.stale(staleness))
            case .fresh(let duration): self = .event(.fresh(after: duration))
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
                processID: environment.processID, currentAlias: owner.currentAlias())
            log.log(event)
            owner.onEvent(event)
        case .change(let failure):
            // The first part of the detail, such as "2 of 3 servers down". The metadata has the whole detail.
            let count = failure.detail.prefix { $0 != ":" }
            log.warning("\(name) is still down: \(count)", metadata: failure.metadata)
        case .suspect(let error):
            log.info("\(name) is suspect: new sessions try other servers first.", metadata: error.metadata)
        case .refusesSessions(let availability, let error):
            log.info(
                "\(name) is \(availability.rawValue): new sessions try other servers first.", metadata: error.metadata)
        case .couldNotAsk(let failure):
            log.error("\(name) could not be pinged. Its state does not change.", metadata: failure.metadata)
        case .moved(let former, let server):
            log.notice("\(name) has moved to \(server).", metadata: ["former": "\(former)"])
            owner.onMove(former, server)
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
            environment.log.error("\(service.name): an event hook failed", metadata: ["error": "\(error)"])
        }
    }
}

extension ObservedError {
    fileprivate var metadata: Logger.Metadata { ["kind": "\(kind.rawValue)", "detail": "\(detail)"] }
}

extension Logger {
    /// Writes the log line of an event: CRITICAL for an outage and its reminders, WARNING for a stale replica and for a
    /// server that refuses the monitor, INFO when these end. A server that has refused since the start is logged at
    /// ERROR, because the cause is most likely a mistake in the configuration.
    package func log(_ event: FailoverEvent) {
        var metadata = event.failure?.metadata ?? [:]
        if let alias = event.currentAlias { metadata["serving"] = "\(alias)" }
        switch event.kind {
        case .outage: critical("\(event.message)", metadata: metadata)
        case .reminder(_, let lasting):
            metadata["lasting"] = "\(lasting.inWords)"
            critical("\(event.message)", metadata: metadata)
        case .recovery(let duration):
            metadata["down_for"] = "\(duration.inWords)"
            info("\(event.message)", metadata: metadata)
        case .stale(let staleness):
            metadata["detail"] = "\(staleness)"
            warning("\(event.message)", metadata: metadata)
        case .fresh(let duration):
            metadata["stale_for"] = "\(duration.inWords)"
            info("\(event.message)", metadata: metadata)
        case .degraded(_, let lasting, let fromTheStart):
            if lasting > .zero { metadata["lasting"] = "\(lasting.inWords)" }
            log(level: fromTheStart ? .error : .warning, "\(event.message)", metadata: metadata)
        case .healthy(let duration):
            metadata["degraded_for"] = "\(duration.inWords)"
            info("\(event.message)", metadata: metadata)
        }
    }
}

extension PingFailure {
    var metadata: Logger.Metadata { ["reason": "\(reason)", "detail": "\(detail)"] }
}
