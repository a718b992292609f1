/// A change of a service's decided state, a reminder of one that lasts, or a change of its health or of a replica's
/// freshness.
public struct FailoverEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The service went down.
        case outage(PingFailure)
        /// The service is still down.
        case reminder(PingFailure, lasting: Duration)
        /// The service is back up. The outage lasted `after`.
        case recovery(after: Duration)
        /// A replica's data is too old: the replica serves last, or not at all.
        case stale(Staleness)
        /// The replica's data is fresh again. It was stale for `after`.
        case fresh(after: Duration)
        /// The service is up, but its server has refused the monitor for `lasting`. Sessions stay. `fromTheStart`
        /// means that no ping has ever succeeded.
        case degraded(PingFailure, lasting: Duration, fromTheStart: Bool)
        /// The server answers the monitor again. The refusals lasted `after`.
        case healthy(after: Duration)
    }

    /// Name of the service.
    public let service: String
    public let kind: Kind
    /// When the change was decided.
    public let time: WallTime
    /// The machine of the process that decided the change.
    public let host: String
    /// The process that decided the change. Each proxy decides for itself.
    public let processID: Int32
    /// The alias that serves the service's route from now on; `nil` when there is none, or the service has no route.
    public let currentAlias: String?
    /// Whether the event is a test of the notifiers.
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

    /// The failure of the ping. Only for an outage, for a server that refuses the monitor, and for their reminders.
    public var failure: PingFailure? {
        switch kind {
        case .outage(let failure), .reminder(let failure, _), .degraded(let failure, _, _): failure
        case .recovery, .stale, .fresh, .healthy: nil
        }
    }

    /// Why a replica serves last. Only for the event that the replica has become stale.
    public var staleness: Staleness? {
        if case .stale(let staleness) = kind { staleness } else { nil }
    }

    /// The detail in the words of the server or system that reported it.
    public var detail: String? { failure?.detail ?? staleness?.description }

    /// How long the outage, the staleness or the degradation had lasted at ``time``. Zero if it has just begun.
    public var outageDuration: Duration {
        switch kind {
        case .outage, .stale: .zero
        case .reminder(_, let lasting), .degraded(_, let lasting, _): lasting
        case .recovery(let duration), .fresh(let duration), .healthy(let duration): duration
        }
    }

    /// Whether the event repeats an earlier one.
    public var isReminder: Bool {
        switch kind {
        case .reminder: true
        case .degraded(_, let lasting, _): lasting > .zero
        case .outage, .recovery, .stale, .fresh, .healthy: false
        }
    }

    /// When the outage, the staleness or the degradation began.
    public var since: WallTime { time.before(outageDuration) }

    /// The log line of the event. The lines of an outage and of a recovery are exactly those of the older library.
    public var message: String {
        switch kind {
        case .outage, .reminder: "\(service) outage. Failover initiated. (Process ID: \(processID))"
        case .recovery: "\(service) is back up. Recovery complete. (Process ID: \(processID))"
        case .stale: "\(service) is stale. New sessions prefer other aliases."
        case .fresh: "\(service) is fresh again."
        case .degraded: "\(service) is degraded: its server refuses the monitor. Sessions stay."
        case .healthy: "\(service) is healthy again."
        }
    }
}

extension FailoverEvent.Kind {
    /// The name of the kind, as in `events` of the configuration.
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

        /// The subject of an event. For each subject, beginnings and ends alternate.
        public enum Subject: Hashable, Sendable {
            /// Whether a service is up.
            case state
            /// How old a replica's data is.
            case freshness
            /// Whether a server answers the monitor.
            case health
        }

        /// The subject of events of this kind.
        public var subject: Subject {
            switch self {
            case .outage, .reminder, .recovery: .state
            case .stale, .fresh: .freshness
            case .degraded, .healthy: .health
            }
        }
    }
}
