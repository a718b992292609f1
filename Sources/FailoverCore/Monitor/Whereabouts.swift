/// Where a service is, and which of several servers it is, from ping to ping.
package struct Whereabouts: Sendable {
    package private(set) var place: ServerLocation?
    package private(set) var record = ServerRecord()

    package init() {}

    /// It was found there.
    package init(_ place: ServerLocation) {
        self.place = place
        record.known = place.server
    }

    /// A ping has looked for it.
    ///
    /// - Returns: that it has become another server.
    package mutating func note(_ answer: PingAnswer) -> [ServiceStateMachine.Action] {
        let former = place?.server
        if let record = answer.record { self.record = record }
        if let found = answer.place, found.replaces(place) { place = found }
        guard answer.failure == nil, let former, let server = place?.server, server != former else { return [] }
        return [.moved(from: former, to: server)]
    }
}

/// Whether a replica's data is fresh enough to serve, and since when it is not.
package struct ReplicaHealth: Sendable {
    private var policy: ReplicationPolicy?
    private var freshness: ReplicaFreshness?
    /// Why it is not to serve; `nil` while it is fresh.
    package private(set) var staleness: Staleness?
    private var staleSince: MonotonicTime?
    /// How far behind it is by the latest ping; `nil` when that does not know.
    package private(set) var lag: Duration?

    package init(policy: ReplicationPolicy?) {
        self.policy = policy
        freshness = policy.map { ReplicaFreshness(policy: $0) }
    }

    /// Goes by another policy from now on. What is known of its staleness stays until the next ping.
    package mutating func change(to policy: ReplicationPolicy?) {
        guard policy != self.policy else { return }
        self.policy = policy
        freshness = policy.map { ReplicaFreshness(policy: $0) }
    }

    /// It is known to be stale, or fresh.
    package mutating func resume(_ staleness: Staleness?, now: MonotonicTime) {
        self.staleness = staleness
        staleSince = staleness == nil ? nil : now
    }

    /// A ping has its answer. A server that refuses the ping has as old data as it had, for `max_lag`; then its lag is
    /// unknown, and it is stale. No failure makes a stale replica fresh.
    ///
    /// - Returns: what has changed.
    package mutating func note(_ answer: PingAnswer, now: MonotonicTime) -> [ServiceStateMachine.Action] {
        lag = nil
        if let failure = answer.failure {
            guard failure.kind == .refusal, let staleness = freshness?.refused(now: now) else { return [] }
            return become(staleness, now: now)
        }
        guard let reading = answer.replication, freshness != nil else { return become(nil, now: now) }
        let staleness = freshness?.observe(reading, now: now).staleness
        lag = freshness?.behind
        return become(staleness, now: now)
    }

    private mutating func become(_ staleness: Staleness?, now: MonotonicTime) -> [ServiceStateMachine.Action] {
        defer { self.staleness = staleness }
        switch (self.staleness, staleness) {
        case (nil, let staleness?):
            staleSince = now
            return [.stale(staleness)]
        case (.some, nil):
            return [.fresh(after: (staleSince ?? now).duration(to: now))]
        default: return []
        }
    }
}
