/// A change of a service: its state, its health, or the freshness of a replica. A reminder of a state that continues is
/// an event too.
public struct FailoverEvent: Hashable, Sendable {
    /// What has changed.
    public enum Kind: Hashable, Sendable {
        /// The service went down.
        case outage(PingFailure)
        /// The service is still down.
        case reminder(PingFailure, lasting: Duration)
        /// The service is back up. The outage lasted `after`.
        case recovery(after: Duration)
        /// The data of a replica is too old. The replica serves last, or not at all.
        case stale(Staleness)
        /// The replica's data is fresh again. It was stale for `after`.
        case fresh(after: Duration)
        /// The service is up, but its server has refused the monitor for `lasting`. Its sessions stay open.
        /// `fromTheStart` means that no ping has ever succeeded.
        case degraded(PingFailure, lasting: Duration, fromTheStart: Bool)
        /// The server answers the monitor again. The refusals lasted `after`.
        case healthy(after: Duration)
    }

    /// The name of the service.
    public let service: String
    public let kind: Kind
    /// When this process decided the change.
    public let time: WallTime
    /// The name of the machine whose process decided the change.
    public let host: String
    /// The ID of the process that decided the change. Each process decides for itself.
    public let processID: Int32
    /// The alias that serves the service's route from now on; `nil` if no alias serves it, or if the service has no
    /// route.
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

    /// The failure of the ping; `nil` except for an outage, for a server that refuses the monitor, and for their
    /// reminders.
    public var failure: PingFailure? {
        switch kind {
        case .outage(let failure), .reminder(let failure, _), .degraded(let failure, _, _): failure
        case .recovery, .stale, .fresh, .healthy: nil
        }
    }

    /// Why a replica serves last; `nil` except for the event that the replica has become stale.
    public var staleness: Staleness? {
        if case .stale(let staleness) = kind { staleness } else { nil }
    }

    /// The details of the cause, on one line; `nil` if the event has none.
    public var detail: String? { failure?.detail ?? staleness?.description }

    /// How long the outage, the staleness or the degradation had lasted at ``time``; zero if it has just begun.
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

    /// The log message of the event. The messages of an outage and of a recovery are the same as in the older library.
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
