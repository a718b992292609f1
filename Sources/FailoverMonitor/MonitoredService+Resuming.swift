public import FailoverCore
import FailoverSystem

/// What was known before it began.
extension MonitoredService {
    /// Goes on from what another, which has been stopped, knew of the same service; keeps its own settings. To be called
    /// before ``run()``.
    public func resume(from former: MonitoredService) {
        let known = former.state.withLock { $0 }
        state.withLock { state in
            state.machine = known.machine.resumed(
                with: state.machine.settings, replication: (service as? any AnsweringService)?.replication)
            state.facts = known.facts
            state.history = known.history
            state.since = known.since
            state.outages = known.outages
            gate.set(state.machine.nextPing)
        }
    }

    /// Goes on with an outage that another process has told of. To be called before ``run()``.
    ///
    /// - Parameters:
    ///   - since: when it began.
    ///   - failure: why.
    public func resumeOutage(since: WallTime, because failure: PingFailure) {
        let now = environment.clock.now
        state.withLock { state in
            state.machine.resumeOutage(failure, since: now.advanced(by: .zero - lasting(since)), now: now)
            state.since = since
            state.outages = 1
            tellFacts(&state, now: now)
        }
    }

    /// Goes on with what another process has told of the alias. To be called before ``run()``, and before what resumes an
    /// outage.
    package func resume(_ facts: AliasFacts) {
        let now = environment.clock.now
        state.withLock { state in
            state.machine.resume(facts, now: now)
            tellFacts(&state, now: now)
        }
    }

    /// Goes on with a server's refusal of the monitor that another process has told of. To be called before ``run()``, and
    /// after what resumes an outage.
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
