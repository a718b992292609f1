/// What a replica says of its replication at one moment.
public struct ReplicationReading: Hashable, Sendable {
    /// Positions in the primary's log, of servers that tell them.
    public struct Positions: Hashable, Sendable {
        /// How far the log is that the replica knows of; `nil` while it hears nothing of its primary.
        public var known: UInt64?
        public var applied: UInt64
        /// How far the log was at the least, as the primary itself has told; `nil` when it has not.
        public var primary: UInt64?

        public init(known: UInt64?, applied: UInt64, primary: UInt64? = nil) {
            self.known = known
            self.applied = applied
            self.primary = primary
        }
    }

    /// What a table says that the primary writes the time into, again and again.
    public enum Heartbeat: Hashable, Sendable {
        case behind(Duration)
        /// There is no time in it.
        case unknown
    }

    /// Why it does not follow its primary; `nil` while it does.
    public var stopped: String?
    /// How far it says it is behind. Of a server that tells positions the most that it can be, since an idle primary is no
    /// lag; and by the clocks of two servers, so that it may be negative.
    public var behind: Duration?
    public var positions: Positions?
    /// How far the replica's clock is behind the primary's at the least; `nil` when it hears nothing of its primary.
    public var clockBehind: Duration?
    /// Counts in place of what the server says of itself; `nil` when there is none.
    public var heartbeat: Heartbeat?

    public init(
        stopped: String? = nil, behind: Duration? = nil, positions: Positions? = nil, clockBehind: Duration? = nil,
        heartbeat: Heartbeat? = nil
    ) {
        self.stopped = stopped
        self.behind = behind
        self.positions = positions
        self.clockBehind = clockBehind
        self.heartbeat = heartbeat
    }
}
