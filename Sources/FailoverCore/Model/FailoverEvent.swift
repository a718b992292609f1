/// A change of a service's decided state, the reminder of one that lasts, or a change of a replica's freshness.
public struct FailoverEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The service went down.
        case outage(PingFailure)
        /// It is still down.
        case reminder(PingFailure, lasting: Duration)
        /// It is back, after that long.
        case recovery(after: Duration)
        /// A replica's data is too old: it serves last, or not at all.
        case stale(Staleness)
        /// It no longer is, after that long.
        case fresh(after: Duration)
    }

    /// Name of the service.
    public let service: String
    public let kind: Kind
    /// When it was decided.
    public let time: WallTime
    /// The machine of the process that decided.
    public let host: String
    /// The process that decided; every proxy decides for itself.
    public let processID: Int32
    /// The alias that serves the service's route from now on; `nil` when there is none, or the service has no route.
    public let currentAlias: String?
    /// Made up, to see whether notifiers work.
    public let isTest: Bool

    public init(
        service: String, kind: Kind, time: WallTime, host: String, processID: Int32, currentAlias: String? = nil,
        isTest: Bool = false
    ) {
        self.service = service
        self.kind = kind
        self.time = time
        self.host = host
        self.processID = processID
        self.currentAlias = currentAlias
        self.isTest = isTest
    }

    /// What the ping said that failed; only of an outage and its reminders.
    public var failure: PingFailure? {
        switch kind {
        case .outage(let failure), .reminder(let failure, _): failure
        case .recovery, .stale, .fresh: nil
        }
    }

    /// Why a replica serves last; only when it has become stale.
    public var staleness: Staleness? {
        if case .stale(let staleness) = kind { staleness } else { nil }
    }

    /// What was said, in the words of whoever said it.
    public var detail: String? { failure?.detail ?? staleness?.description }

    /// How long the outage, or the staleness, had lasted at ``time``; zero when it has just begun.
    public var outageDuration: Duration {
        switch kind {
        case .outage, .stale: .zero
        case .reminder(_, let lasting): lasting
        case .recovery(let duration), .fresh(let duration): duration
        }
    }

    /// When the outage, or the staleness, began.
    public var since: WallTime { time.before(outageDuration) }

    /// The log line of the event; that of an outage and a recovery word for word as the older library wrote it.
    public var message: String {
        switch kind {
        case .outage, .reminder: "\(service) outage. Failover initiated. (Process ID: \(processID))"
        case .recovery: "\(service) is back up. Recovery complete. (Process ID: \(processID))"
        case .stale: "\(service) is stale. Others are preferred."
        case .fresh: "\(service) is fresh again."
        }
    }
}

extension FailoverEvent.Kind {
    /// `outage`, `reminder`, `recovery`, `stale` or `fresh`: the words of `events` in the configuration.
    public var name: Name {
        switch self {
        case .outage: .outage
        case .reminder: .reminder
        case .recovery: .recovery
        case .stale: .stale
        case .fresh: .fresh
        }
    }

    /// The kinds of event by name.
    public enum Name: String, Hashable, Sendable, CaseIterable {
        case outage, reminder, recovery, stale, fresh

        /// Whether it tells how old a replica's data is, and not whether a service is up.
        public var isOfFreshness: Bool {
            switch self {
            case .outage, .reminder, .recovery: false
            case .stale, .fresh: true
            }
        }
    }
}
