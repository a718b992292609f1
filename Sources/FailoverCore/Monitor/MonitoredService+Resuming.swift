/// What was known before it began.
extension MonitoredService {
    /// Goes on from what another, which has been stopped, knew of the same service; keeps its own settings. To be called
    /// before ``run()``.
    public func resume(from former: MonitoredService) {
        let known = former.state.withLock { $0 }
        state.withLock { state in
            state.machine = known.machine.resumed(with: state.machine.settings)
            state.standing = known.standing
            state.history = known.history
            state.since = known.since
            state.outages = known.outages
            gate.set(state.machine.nextPing)
        }
    }

    /// Goes on with an outage that another process has told of. To be called before ``run()``.
    ///
    /// - Parameter hasToAnswer: its role or its replication was found wrong.
    public func resumeOutage(since: WallTime, because failure: PingFailure, hasToAnswer: Bool = false) {
        let now = environment.clock.now
        state.withLock { state in
            state.machine = ServiceStateMachine(
                settings: state.machine.settings, downSince: now.advanced(by: .zero - lasting(since)),
                because: failure, hasToAnswer: hasToAnswer, now: now)
            state.since = since
            state.outages = 1
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
