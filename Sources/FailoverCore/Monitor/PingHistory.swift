/// The latest pings of a service, and how long they have gone the same way.
public struct PingHistory: Hashable, Sendable {
    /// One ping that came to an end.
    public struct Record: Hashable, Sendable {
        /// When it began.
        public let time: WallTime
        public let result: PingResult

        public init(time: WallTime, result: PingResult) {
            self.time = time
            self.result = result
        }
    }

    /// How many are kept.
    public static let capacity = 60

    /// Oldest first.
    public private(set) var records: [Record] = []
    /// How many of the latest pings, of those that are kept and those before, had the same success.
    public private(set) var streak = 0
    /// Since the start.
    public private(set) var succeeded = 0
    public private(set) var failed = 0

    public init() {}

    /// The latest ping.
    public var latest: Record? { records.last }

    /// A ping has ended.
    public mutating func add(_ record: Record) {
        let isSame = latest.map { $0.result.succeeded == record.result.succeeded } ?? true
        streak = isSame ? streak + 1 : 1
        if record.result.succeeded { succeeded += 1 } else { failed += 1 }
        if records.count == Self.capacity { records.removeFirst() }
        records.append(record)
    }
}
