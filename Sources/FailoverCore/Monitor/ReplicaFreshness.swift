/// Decides whether a replica's data is fresh, from the report of the replica at each ping.
///
///                  behind more than `maxLag` or `maxLagBytes`, or lag unknown
///        ┌───────┐ ─────────────────────────────▶ ┌───────┐
///        │ fresh │                                │ stale │
///        └───────┘ ◀───────────────────────────── └───────┘
///                  behind no more than `recoversAt`, and half of `maxLagBytes`
///
/// A failed ping does not change the verdict. If the server is alive and refuses the ping, the verdict holds for
/// `maxLag`; after that, the replica is stale.
public struct ReplicaFreshness: Sendable {
    public enum Verdict: Hashable, Sendable {
        case fresh
        case stale(Staleness)

        /// Why the data is stale; `nil` while it is fresh.
        public var staleness: Staleness? { if case .stale(let staleness) = self { staleness } else { nil } }
    }

    /// The end of the primary's log as known at one time.
    private struct Mark {
        let position: UInt64
        let time: MonotonicTime
    }

    private static let mostMarks = 64
    /// How much two synchronised clocks may seem to differ because messages take time.
    private static let noise = Duration.seconds(1)

    private let policy: ReplicationPolicy
    private var isStale = false
    /// When the replica last answered. Before its first answer, this is the time of its first refusal.
    private var heardAt: MonotonicTime?
    /// How far the replica is behind according to the latest reading; `nil` if unknown.
    public private(set) var behind: Duration?
    /// The end of the log as the replica knew it when it was last connected to its primary.
    private var known: UInt64?
    /// The replica has applied everything that the primary had written by this time.
    private var currentAt: MonotonicTime?
    /// Whether a stale server that reports only seconds reported at the latest reading that it has caught up. The
    /// report must be repeated before it counts: MySQL and MariaDB report 0 for a moment when they start to follow,
    /// because they have read nothing yet.
    private var isRelieved = false
    /// Marks that are not applied yet, oldest first.
    private var marks: [Mark] = []
    /// The minimum time between two marks.
    private var spacing = Duration.zero
    /// How far the replica's clock was behind the primary's when the replica was last connected to it.
    private var clockBehind = Duration.zero

    public init(policy: ReplicationPolicy) { self.policy = policy }

    /// Takes the reading of a successful ping, and returns the verdict.
    public mutating func observe(_ reading: ReplicationReading, now: MonotonicTime) -> Verdict {
        heardAt = now
        behind =
            switch reading.heartbeat {
            case .behind(let lag): lag
            case .unknown: nil
            case nil: lag(reading, now: now)
            }
        var stopped = reading.stopped
        if stopped != nil, policy.whenStopped == .ignore {
            stopped = nil
            // A heartbeat measures the lag even if replication works in a way that the server does not report.
            if reading.heartbeat == nil {
                isStale = false
                return .fresh
            }
        }
        let bytes = reading.positions.map { positions in
            known = positions.known ?? known
            return bytesBehind(positions)
        }
        return verdict(bytes: bytes, stopped: stopped)
    }

    /// Takes the event that the replica is alive and refuses to answer.
    ///
    /// - Returns: why the replica is now stale; `nil` while its last answer holds.
    public mutating func refused(now: MonotonicTime) -> Staleness? {
        let heardAt = heardAt ?? now
        self.heardAt = heardAt
        guard let limit = policy.maxLag, heardAt.duration(to: now) > limit else { return nil }
        isStale = true
        return Staleness(behind: nil)
    }

    /// - Parameter bytes: the outer `nil` is for a server that reports no positions, the inner `nil` is for an
    ///   unknown lag.
    private mutating func verdict(bytes: UInt64??, stopped: String?) -> Verdict {
        let isLate = policy.maxLag.map { limit in
            behind.map { $0 > (isStale ? policy.recoversAt : limit) } ?? true
        }
        let isFar = policy.maxLagBytes.flatMap { limit in
            bytes.map { bytes in bytes.map { $0 > (isStale ? limit / 2 : limit) } ?? true }
        }
        isStale = isLate == true || isFar == true
        guard isStale else { return .fresh }
        let staleness = Staleness(
            behind: isLate == true ? behind : nil, bytesBehind: isFar == true ? bytes ?? nil : nil, stopped: stopped)
        return .stale(staleness)
    }

    /// How many bytes the replica is behind, at least: the primary may have written more since it was last asked.
    private func bytesBehind(_ positions: ReplicationReading.Positions) -> UInt64? {
        let end = [known, positions.primary].compactMap(\.self).max()
        return end.map { $0 > positions.applied ? $0 - positions.applied : 0 }
    }

    /// How far the replica is behind, from everything that is known; `nil` if nothing is known.
    private mutating func lag(_ reading: ReplicationReading, now: MonotonicTime) -> Duration? {
        guard let positions = reading.positions else {
            // A server that replicates reports its lag. A server that has stopped reports nothing, and its lag grows
            // from then on.
            let isRelief = reading.stopped == nil && isStale && reading.behind.map { $0 <= policy.recoversAt } == true
            if reading.stopped == nil, !isRelief || isRelieved {
                currentAt = reading.behind.map { now.advanced(by: .zero - $0) }
            }
            isRelieved = isRelief
            return currentAt.map { $0.duration(to: now) }
        }
        // A connection that died without a reset still looks alive, so the primary's own position may be later.
        if let known = positions.known { add(Mark(position: max(known, positions.primary ?? 0), time: now)) }
        // Marks may go back: a replica that restarts requests its log from an earlier position.
        if let applied = marks.lastIndex(where: { $0.position <= positions.applied }) {
            currentAt = marks[applied].time
            marks.removeFirst(applied + 1)
        }
        clockBehind = reading.clockBehind ?? clockBehind
        return lag(byPositions: currentAt.map { $0.duration(to: now) }, positions, age: reading.behind)
    }

    /// The smaller of both values. If the age is clearly negative, a clock was set back, and only the positions count.
    /// If these show nothing, a replica that follows its primary counts as current.
    private func lag(
        byPositions lag: Duration?, _ positions: ReplicationReading.Positions, age: Duration?
    ) -> Duration? {
        guard let age = age.map({ $0 + clockBehind }) else { return lag }
        guard age > .zero - Self.noise else { return lag ?? (positions.known == nil ? nil : .zero) }
        return min(lag ?? age, max(.zero, age))
    }

    /// Adds the mark. If the replica makes no progress for a long time, every second mark is dropped and the spacing
    /// grows.
    private mutating func add(_ mark: Mark) {
        if marks.isEmpty { spacing = .zero }
        if marks.count == Self.mostMarks {
            spacing = marks[0].time.duration(to: mark.time) / (Self.mostMarks / 2)
            marks = stride(from: 0, to: marks.count, by: 2).map { marks[$0] }
        }
        // The last mark is always the current one.
        if let last = marks.last, marks.count > 1, marks[marks.count - 2].time.duration(to: last.time) < spacing {
            marks.removeLast()
        }
        marks.append(mark)
    }
}
