/// A change of a service's decided state, the reminder of one that lasts, or a change of its health or a replica's freshness.
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
        /// The service is up, but its server refuses the monitor, for that long already; sessions stay. From the start: no
        /// ping has ever succeeded.
        case degraded(PingFailure, lasting: Duration, fromTheStart: Bool)
        /// The server answers the monitor again, after that long.
        case healthy(after: Duration)
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

    /// What the ping said that failed; only of an outage, of a server that refuses the monitor, and of their reminders.
    public var failure: PingFailure? {
        switch kind {
        case .outage(let failure), .reminder(let failure, _), .degraded(let failure, _, _): failure
        case .recovery, .stale, .fresh, .healthy: nil
        }
    }

    /// Why a replica serves last; only when it has become stale.
    public var staleness: Staleness? {
        if case .stale(let staleness) = kind { staleness } else { nil }
    }

    /// What was said, in the words of whoever said it.
    public var detail: String? { failure?.detail ?? staleness?.description }

    /// How long the outage, the staleness or the degradation had lasted at ``time``; zero when it has just begun.
    public var outageDuration: Duration {
        switch kind {
        case .outage, .stale: .zero
        case .reminder(_, let lasting), .degraded(_, let lasting, _): lasting
        case .recovery(let duration), .fresh(let duration), .healthy(let duration): duration
        }
    }

    /// Whether it repeats what was told before.
    public var isReminder: Bool {
        switch kind {
        case .reminder: true
        case .degraded(_, let lasting, _): lasting > .zero
        case .outage, .recovery, .stale, .fresh, .healthy: false
        }
    }

    /// When the outage, the staleness or the degradation began.
    public var since: WallTime { time.before(outageDuration) }

    /// The log line of the event; that of an outage and a recovery word for word as the older library wrote it.
    public var message: String {
        switch kind {
        case .outage, .reminder: "\(service) outage. Failover initiated. (Process ID: \(processID))"
        case .recovery: "\(service) is back up. Recovery complete. (Process ID: \(processID))"
        case .stale: "\(service) is stale. Others are preferred."
        case .fresh: "\(service) is fresh again."
        case .degraded: "\(service) is degraded: its server refuses the monitor. Sessions stay."
        case .healthy: "\(service) is healthy again."
        }
    }
}

extension FailoverEvent.Kind {
    /// The word of `events` in the configuration.
    public var name: Name {
        switch self {
        case .outage: .outage
        case .reminder: .reminder
        case .recovery: .recovery
        case .stale: .stale
        case .fresh: .fresh
        case .degraded: .degraded
        case .healthy: .healthy
        }
    }

    /// The kinds of event by name.
    public enum Name: String, Hashable, Sendable, CaseIterable {
        case outage, reminder, recovery, stale, fresh, degraded, healthy

        /// What an event tells of: of each, beginnings and ends alternate.
        public enum Subject: Hashable, Sendable {
            /// Whether a service is up.
            case state
            /// How old a replica's data is.
            case freshness
            /// Whether a server answers the monitor.
            case health
        }

        /// What it tells of.
        public var subject: Subject {
            switch self {
            case .outage, .reminder, .recovery: .state
            case .stale, .fresh: .freshness
            case .degraded, .healthy: .health
            }
        }
    }
}
