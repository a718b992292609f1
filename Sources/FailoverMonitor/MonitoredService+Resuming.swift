public import FailoverCore
import FailoverSystem

/// Restores state from before the monitoring began.
extension MonitoredService {
    /// Continues with the state of another monitor of the same service, which has stopped. The settings are not copied.
    /// Call this before ``run()``.
    public func resume(from former: MonitoredService) {
        let known = former.state.withLock { $0 }
        state.withLock { state in
            state.machine = known.machine.resumed(
                with: state.machine.settings, replication: (service as? any AnsweringService)?.replication)
            state.facts = known.facts
            state.history = known.history
            state.tls = known.tls
            state.since = known.since
            state.outages = known.outages
            gate.set(state.machine.nextPing)
        }
    }

    /// Continues an outage that another process reported. Call this before ``run()``.
    ///
    /// - Parameters:
    ///   - since: when the outage began.
    ///   - failure: why the service is down.
    public func resumeOutage(since: WallTime, because failure: PingFailure) {
        let now = environment.clock.now
        state.withLock { state in
            state.machine.resumeOutage(failure, since: now.advanced(by: .zero - lasting(since)), now: now)
            state.since = since
            state.outages = 1
            tellFacts(&state, now: now)
        }
    }

    /// Continues with the facts about the alias that another process reported. Call this before ``run()`` and before
    /// the methods that restore an outage.
    package func resume(_ facts: AliasFacts) {
        let now = environment.clock.now
        state.withLock { state in
            state.machine.resume(facts, now: now)
            tellFacts(&state, now: now)
        }
    }

    /// Continues a refusal of the monitor that another process reported. Call this before ``run()`` and after the
    /// methods that restore an outage.
    public func resumeRefusal(since: WallTime, because failure: PingFailure) {
        let now = environment.clock.now
        state.withLock { state in
            state.machine.resumeRefusal(failure, since: now.advanced(by: .zero - lasting(since)), now: now)
        }
    }

    private func lasting(_ since: WallTime) -> Duration {
        max(.zero, environment.timeOfDay().sinceEpoch - since.sinceEpoch)
    }
}
