import FailoverCore

/// What the pings of one replica have told of its replication so far.
final class ReplicaWatch: Sendable {
    private struct State {
        var freshness: ReplicaFreshness
        var staleness: Staleness?
        var lag: Duration?
    }

    let policy: ReplicationPolicy
    private let clock = MonotonicClock()
    private let state: Lock<State>

    init(policy: ReplicationPolicy) {
        self.policy = policy
        state = Lock(State(freshness: ReplicaFreshness(policy: policy)))
    }

    /// Why the replica is not to serve, as the latest ping that was told of its replication has it; `nil` while it is fresh.
    var staleness: Staleness? { state.withLock { $0.staleness } }

    /// How far behind its primary it is, as the latest ping has it; `nil` when that does not know.
    var lag: Duration? { state.withLock { $0.lag } }

    /// A ping was told nothing: the lag is unknown. The verdict stays; if the server lives and refuses to tell, for `max_lag`.
    func pingFailed(_ failure: PingFailure) {
        let now = clock.now
        state.withLock { state in
            state.lag = nil
            guard failure.kind == .refusal, let staleness = state.freshness.refused(now: now) else { return }
            state.staleness = staleness
        }
    }

    /// A ping was told this.
    ///
    /// - Throws: when replication has stopped and that counts as an outage.
    func observe(_ reading: ReplicationReading, _ attempt: PingAttempt) throws(PingFailure) {
        let now = clock.now
        var reading = reading
        // The words of a server's error.
        reading.stopped = reading.stopped?.asOneLine(hiding: attempt.secret)
        let down = state.withLock { [reading] state -> String? in
            let verdict = state.freshness.observe(reading, now: now)
            state.lag = state.freshness.behind
            switch verdict {
            case .fresh: state.staleness = nil
            case .stale(let staleness): state.staleness = staleness
            case .down(let words): return words
            }
            return nil
        }
        if let down { throw attempt.failure(.replicationStopped, down) }
    }
}
