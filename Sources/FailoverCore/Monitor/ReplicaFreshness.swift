/// Whether a replica's data is fresh, from what it says of itself, ping by ping.
///
///                  behind more than `maxLag` or `maxLagBytes`, or nobody knows how far
///        ┌───────┐ ─────────────────────────────▶ ┌───────┐
///        │ fresh │                                │ stale │
///        └───────┘ ◀───────────────────────────── └───────┘
///                  behind no more than `recoversAt`, and half of `maxLagBytes`
///
/// A ping that fails says nothing: the verdict stays. While the server lives and refuses to tell, it stays for `maxLag`.
public struct ReplicaFreshness: Sendable {
    public enum Verdict: Hashable, Sendable {
        case fresh
        case stale(Staleness)
        /// Replication has stopped, for this reason, and that counts as an outage.
        case down(String)
    }

    /// The end of the primary's log as it was known at a time.
    private struct Mark {
        let position: UInt64
        let time: MonotonicTime
    }

    private static let mostMarks = 64
    /// What messages on their way make of clocks that agree.
    private static let noise = Duration.seconds(1)

    private let policy: ReplicationPolicy
    private var isStale = false
    /// When the replica last said something; or, before it has, when it first refused to.
    private var heardAt: MonotonicTime?
    /// How far behind it is by the latest reading; `nil` when nobody knows.
    public private(set) var behind: Duration?
    /// The end of the log that the replica knew of when it last heard of its primary.
    private var known: UInt64?
    /// What the primary had by then the replica has too.
    private var currentAt: MonotonicTime?
    /// The latest reading of a stale server, one that tells seconds alone, was that it has caught up. It is believed when it
    /// says so again: MySQL and MariaDB say 0 for a moment when they begin to follow, for they have read nothing yet.
    private var isRelieved = false
    /// Not yet applied, oldest first.
    private var marks: [Mark] = []
    /// The least time between them.
    private var spacing = Duration.zero
    /// How far the replica's clock was behind the primary's when it last heard of it.
    private var clockBehind = Duration.zero

    public init(policy: ReplicationPolicy) { self.policy = policy }

    /// The replica has said this.
    public mutating func observe(_ reading: ReplicationReading, now: MonotonicTime) -> Verdict {
        heardAt = now
        behind =
            switch reading.heartbeat {
            case .behind(let lag): lag
            case .unknown: nil
            case nil: lag(reading, now: now)
            }
        var stopped = reading.stopped
        if let words = stopped {
            switch policy.whenStopped {
            case .down: return .down(words)
            case .lag: break
            case .ignore:
                stopped = nil
                // A heartbeat knows the lag of who follows in no way that the server knows of.
                if reading.heartbeat == nil {
                    isStale = false
                    return .fresh
                }
            }
        }
        let bytes = reading.positions.map { positions in
            known = positions.known ?? known
            return bytesBehind(positions)
        }
        return verdict(bytes: bytes, stopped: stopped)
    }

    /// The replica lives and refuses to say.
    ///
    /// - Returns: why it is stale because of that; `nil` while its last word holds.
    public mutating func refused(now: MonotonicTime) -> Staleness? {
        let heardAt = heardAt ?? now
        self.heardAt = heardAt
        guard let limit = policy.maxLag, heardAt.duration(to: now) > limit else { return nil }
        isStale = true
        return Staleness(behind: nil)
    }

    /// - Parameter bytes: `nil` of a server that tells no positions; in it `nil` when nobody knows.
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

    /// At the least: the primary may have gone on since it was last heard of.
    private func bytesBehind(_ positions: ReplicationReading.Positions) -> UInt64? {
        let end = [known, positions.primary].compactMap(\.self).max()
        return end.map { $0 > positions.applied ? $0 - positions.applied : 0 }
    }

    /// How far behind it is for all that is known; `nil` if nothing is.
    private mutating func lag(_ reading: ReplicationReading, now: MonotonicTime) -> Duration? {
        guard let positions = reading.positions else {
            // What a server that follows says is true; one that has stopped says nothing, and falls behind from then on.
            let isRelief = reading.stopped == nil && isStale && reading.behind.map { $0 <= policy.recoversAt } == true
            if reading.stopped == nil, !isRelief || isRelieved {
                currentAt = reading.behind.map { now.advanced(by: .zero - $0) }
            }
            isRelieved = isRelief
            return currentAt.map { $0.duration(to: now) }
        }
        // A connection that has died in silence still looks alive: the primary may know of more.
        if let known = positions.known { add(Mark(position: max(known, positions.primary ?? 0), time: now)) }
        // Marks may go back: a replica that starts anew asks for its log again from a place before.
        if let applied = marks.lastIndex(where: { $0.position <= positions.applied }) {
            currentAt = marks[applied].time
            marks.removeFirst(applied + 1)
        }
        clockBehind = reading.clockBehind ?? clockBehind
        return lag(byPositions: currentAt.map { $0.duration(to: now) }, positions, age: reading.behind)
    }

    /// The least of both. A transaction of the future shows that a clock was put back, and nothing else; without
    /// positions to compare with, one who follows is believed.
    private func lag(
        byPositions lag: Duration?, _ positions: ReplicationReading.Positions, age: Duration?
    ) -> Duration? {
        guard let age = age.map({ $0 + clockBehind }) else { return lag }
        guard age > .zero - Self.noise else { return lag ?? (positions.known == nil ? nil : .zero) }
        return min(lag ?? age, max(.zero, age))
    }

    /// Remembers the mark. Of a long time without progress there are fewer marks, at even distances.
    private mutating func add(_ mark: Mark) {
        if marks.isEmpty { spacing = .zero }
        if marks.count == Self.mostMarks {
            spacing = marks[0].time.duration(to: mark.time) / (Self.mostMarks / 2)
            marks = stride(from: 0, to: marks.count, by: 2).map { marks[$0] }
        }
        // The last one is always of now.
        if let last = marks.last, marks.count > 1, marks[marks.count - 2].time.duration(to: last.time) < spacing {
            marks.removeLast()
        }
        marks.append(mark)
    }
}
