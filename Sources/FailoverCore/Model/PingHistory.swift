/// The result of one ping.
public struct PingResult: Hashable, Sendable {
    /// Why the ping failed; `nil` if it succeeded.
    public let failure: PingFailure?
    /// The time from the start of the ping to its answer.
    public let duration: Duration
    /// Why a server that answered should not serve: its data is too old. Set only for a ping that is not part of
    /// monitoring.
    public let staleness: Staleness?
    /// The TLS session of the ping; `nil` without TLS. Set only for a ping that is not part of monitoring.
    public let tls: TLSFacts?

    public init(failure: PingFailure?, duration: Duration, staleness: Staleness? = nil, tls: TLSFacts? = nil) {
        self.failure = failure
        self.staleness = staleness
        self.duration = duration
        self.tls = tls
    }

    /// Whether the service answered as it should.
    public var succeeded: Bool { failure == nil }
}

/// What a ping saw of the TLS session between this machine and a server.
public struct TLSFacts: Hashable, Sendable {
    /// The version of the protocol in OpenSSL's words, such as `TLSv1.3`.
    public var version: String
    /// When the server's certificate ends; `nil` if the server has presented none.
    public var certificateEnds: WallTime?

    public init(version: String, certificateEnds: WallTime? = nil) {
        self.version = version
        self.certificateEnds = certificateEnds
    }
}

/// The latest pings of a service, and how many of them in a row had the same result.
public struct PingHistory: Hashable, Sendable {
    /// One finished ping.
    public struct Record: Hashable, Sendable {
        /// When the ping began.
        public let time: WallTime
        public let result: PingResult

        public init(time: WallTime, result: PingResult) {
            self.time = time
            self.result = result
        }
    }

    /// How many pings are kept.
    public static let capacity = 60

    /// The latest pings, oldest first.
    public private(set) var records: [Record] = []
    /// How many of the latest pings in a row had the same result, including pings that are no longer kept.
    public private(set) var streak = 0
    /// Successful pings since the start.
    public private(set) var succeeded = 0
    /// Failed pings since the start.
    public private(set) var failed = 0

    public init() {}

    /// The latest ping.
    public var latest: Record? { records.last }

    /// Adds a finished ping.
    public mutating func add(_ record: Record) {
        let isSame = latest.map { $0.result.succeeded == record.result.succeeded } ?? true
        streak = isSame ? streak + 1 : 1
        if record.result.succeeded { succeeded += 1 } else { failed += 1 }
        if records.count == Self.capacity { records.removeFirst() }
        records.append(record)
    }
}
