/// Why a replica that answers should not serve: its data is too old.
public struct Staleness: Hashable, Sendable {
    /// How far the replica is behind its primary; `nil` if this is unknown, or if it is within the limit.
    public let behind: Duration?
    /// The same, in bytes of the primary's log.
    public let bytesBehind: UInt64?
    /// Why the replica does not follow its primary; `nil` while it does.
    public let stopped: String?

    public init(behind: Duration?, bytesBehind: UInt64? = nil, stopped: String? = nil) {
        self.behind = behind
        self.bytesBehind = bytesBehind
        self.stopped = stopped
    }
}

extension Staleness: CustomStringConvertible {
    /// `12.3s behind: replay is paused`, `48 MB behind`, `12.3s and 48 MB behind`.
    public var description: String {
        let measures = [behind?.inWords, bytesBehind?.inBytesWords].compactMap(\.self)
        let lag = measures.isEmpty ? "lag unknown" : "\(measures.joined(separator: " and ")) behind"
        return stopped.map { "\(lag): \($0)" } ?? lag
    }
}

/// What a replica reports of its replication at one moment.
public struct ReplicationReading: Hashable, Sendable {
    /// Positions in the primary's log, for servers that report them.
    public struct Positions: Hashable, Sendable {
        /// The end of the log as far as the replica knows it; `nil` while the replica is not connected to its
        /// primary.
        public var known: UInt64?
        public var applied: UInt64
        /// The latest known end of the log as the primary itself reported it; `nil` if it has not. The log may be
        /// longer now.
        public var primary: UInt64?

        public init(known: UInt64?, applied: UInt64, primary: UInt64? = nil) {
            self.known = known
            self.applied = applied
            self.primary = primary
        }
    }

    /// The content of a heartbeat table, into which the primary writes the time repeatedly.
    public enum Heartbeat: Hashable, Sendable {
        case behind(Duration)
        /// The table holds no time.
        case unknown
    }

    /// Why the replica does not follow its primary; `nil` while it does.
    public var stopped: String?
    /// How far the replica says it is behind. For a server that reports positions this is an upper bound, because an
    /// idle primary causes no lag. It compares the clocks of two servers, so it may be negative.
    public var behind: Duration?
    public var positions: Positions?
    /// The least that the replica's clock is behind the primary's; `nil` if the replica is not connected to its
    /// primary.
    public var clockBehind: Duration?
    /// The lag by the heartbeat table, which replaces the lag that the server reports; `nil` if there is no such
    /// table.
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
