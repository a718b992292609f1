/// Where a service is, and which of its possible servers it is. The pings of a service update this value.
package struct Whereabouts: Sendable {
    package private(set) var place: ServerLocation?
    package private(set) var record = ServerRecord()

    package init() {}

    /// The state of a service that was found at this location.
    package init(_ place: ServerLocation) {
        self.place = place
        record.known = place.server
    }

    /// Takes the result of a ping.
    ///
    /// - Returns: ``ServiceAction/moved(from:to:)`` if the service has moved to another server.
    package mutating func note(_ answer: PingAnswer) -> [ServiceAction] {
        let former = place?.server
        if let record = answer.record { self.record = record }
        if let found = answer.place, found.replaces(place) { place = found }
        guard answer.failure == nil, let former, let server = place?.server, server != former else { return [] }
        return [.moved(from: former, to: server)]
    }
}

/// Whether a replica's data is fresh enough to serve, and if not, since when.
package struct ReplicaHealth: Sendable {
    private var policy: ReplicationPolicy?
    private var freshness: ReplicaFreshness?
    /// Why the replica should not serve; `nil` while its data is fresh.
    package private(set) var staleness: Staleness?
    private var staleSince: MonotonicTime?
    /// How far the replica is behind according to the latest ping; `nil` if the ping could not determine it.
    package private(set) var lag: Duration?

    package init(policy: ReplicationPolicy?) {
        self.policy = policy
        freshness = policy.map { ReplicaFreshness(policy: $0) }
    }

    /// Applies another policy. The staleness stays as it is until the next ping.
    package mutating func change(to policy: ReplicationPolicy?) {
        guard policy != self.policy else { return }
        self.policy = policy
        freshness = policy.map { ReplicaFreshness(policy: $0) }
    }

    /// Restores a known staleness, or freshness.
    package mutating func resume(_ staleness: Staleness?, now: MonotonicTime) {
        self.staleness = staleness
        staleSince = staleness == nil ? nil : now
    }

    /// Takes the result of a ping. If the server refuses pings, the verdict on its data stays the same for `max_lag`.
    /// After that the lag is unknown, and the replica is stale. A failed ping never makes a stale replica fresh.
    ///
    /// - Returns: the actions that follow.
    package mutating func note(_ answer: PingAnswer, now: MonotonicTime) -> [ServiceAction] {
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

    private mutating func become(_ staleness: Staleness?, now: MonotonicTime) -> [ServiceAction] {
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
