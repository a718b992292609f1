/// Why a replica that answers should not serve: its data is too old.
public struct Staleness: Hashable, Sendable {
    /// How far the replica is behind its primary; `nil` if this is unknown, or if it is within the limit.
    public let behind: Duration?
    /// How far the replica is behind, in bytes of the primary's log; `nil` if this is unknown, or if it is within the
    /// limit.
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
        /// The end of the log that the replica has received or that its primary has reported to it; `nil` while the
        /// replica is not connected to its primary.
        public var known: UInt64?
        /// The end of the part of the log that the replica has applied.
        public var applied: UInt64
        /// The end of the log, as the primary itself last reported it; `nil` if it has not. The log may be longer now.
        public var primary: UInt64?

        public init(known: UInt64?, applied: UInt64, primary: UInt64? = nil) {
            self.known = known
            self.applied = applied
            self.primary = primary
        }
    }

    /// The content of a heartbeat table. The primary writes the time into it repeatedly.
    public enum Heartbeat: Hashable, Sendable {
        case behind(Duration)
        /// The table holds no time.
        case unknown
    }

    /// Why the replica does not follow its primary; `nil` while it does.
    public var stopped: String?
    /// The lag that the replica reports. If the server reports positions, this is an upper bound, because it also grows
    /// while the primary is idle. It is the difference of two clocks, so it may be negative.
    public var behind: Duration?
    /// The positions in the primary's log; `nil` for servers that do not report them.
    public var positions: Positions?
    /// How much the replica's clock is behind the primary's, at least; `nil` if the replica is not connected to its
    /// primary.
    public var clockBehind: Duration?
    /// The lag according to the heartbeat table. It replaces the lag that the server reports. `nil` if there is no such
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
