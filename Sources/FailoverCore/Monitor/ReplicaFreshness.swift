/// What a replica says of its replication at one moment.
public struct ReplicationReading: Hashable, Sendable {
    /// Positions in the primary's log, of servers that tell them.
    public struct Positions: Hashable, Sendable {
        /// How far the log is that the replica knows of; `nil` while it hears nothing of its primary.
        public var known: UInt64?
        public var applied: UInt64

        public init(known: UInt64?, applied: UInt64) {
            self.known = known
            self.applied = applied
        }
    }

    /// Why it does not follow its primary; `nil` while it does.
    public var stopped: String?
    /// How far it says it is behind. Of a server that tells positions the most that it can be: an idle primary is no lag.
    public var behind: Duration?
    public var positions: Positions?

    public init(stopped: String? = nil, behind: Duration? = nil, positions: Positions? = nil) {
        self.stopped = stopped
        self.behind = behind
        self.positions = positions
    }
}

/// Whether a replica's data is fresh, from what it says of itself, ping by ping.
///
///                  behind more than `maxLag`, or nobody knows how far
///        ┌───────┐ ─────────────────────────────▶ ┌───────┐
///        │ fresh │                                │ stale │
///        └───────┘ ◀───────────────────────────── └───────┘
///                  behind no more than `recoversAt`
///
/// A ping that fails says nothing: the verdict stays.
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

    private let policy: ReplicationPolicy
    private var isStale = false
    /// What the primary had by then the replica has too.
    private var currentAt: MonotonicTime?
    /// Not yet applied, oldest first.
    private var marks: [Mark] = []
    /// The least time between them.
    private var spacing = Duration.zero

    public init(policy: ReplicationPolicy) { self.policy = policy }

    /// The replica has said this.
    public mutating func observe(_ reading: ReplicationReading, now: MonotonicTime) -> Verdict {
        let behind = lag(reading, now: now)
        if let words = reading.stopped {
            switch policy.whenStopped {
            case .down: return .down(words)
            case .lag: break
            case .ignore:
                isStale = false
                return .fresh
            }
        }
        guard let maxLag = policy.maxLag else { return .fresh }
        isStale = behind.map { $0 > (isStale ? policy.recoversAt : maxLag) } ?? true
        return isStale ? .stale(Staleness(behind: behind, stopped: reading.stopped)) : .fresh
    }

    /// How far behind it is for all that is known; `nil` if nothing is.
    private mutating func lag(_ reading: ReplicationReading, now: MonotonicTime) -> Duration? {
        guard let positions = reading.positions else {
            // What a server that follows says is true; one that has stopped says nothing, and falls behind from then on.
            if reading.stopped == nil { currentAt = reading.behind.map { now.advanced(by: .zero - $0) } }
            return currentAt.map { $0.duration(to: now) }
        }
        if let known = positions.known { add(Mark(position: known, time: now)) }
        // Marks may go back: a replica that starts anew asks for its log again from a place before.
        if let applied = marks.lastIndex(where: { $0.position <= positions.applied }) {
            currentAt = marks[applied].time
            marks.removeFirst(applied + 1)
        }
        return [currentAt.map { $0.duration(to: now) }, reading.behind].compactMap(\.self).min()
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
