import FailoverCore

/// What the pings of one replica have told of its replication so far.
final class ReplicaWatch: Sendable {
    private struct State {
        var freshness: ReplicaFreshness
        var staleness: Staleness?
    }

    private let clock = MonotonicClock()
    private let state: Lock<State>

    init(policy: ReplicationPolicy) {
        state = Lock(State(freshness: ReplicaFreshness(policy: policy)))
    }

    /// Why the replica is not to serve, as the latest ping that was told of its replication has it; `nil` while it is fresh.
    var staleness: Staleness? { state.withLock { $0.staleness } }

    /// A ping was told this.
    ///
    /// - Throws: when replication has stopped and that counts as an outage.
    func observe(_ reading: ReplicationReading, _ attempt: PingAttempt) throws(PingFailure) {
        let now = clock.now
        var reading = reading
        // The words of a server's error.
        reading.stopped = reading.stopped?.asOneLine(hiding: attempt.secret)
        let down = state.withLock { [reading] state -> String? in
            switch state.freshness.observe(reading, now: now) {
            case .fresh: state.staleness = nil
            case .stale(let staleness): state.staleness = staleness
            case .down(let words): return words
            }
            return nil
        }
        if let down { throw attempt.failure(.replicationStopped, down) }
    }
}
