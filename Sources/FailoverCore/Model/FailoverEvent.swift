/// A change of a service's decided state, or the reminder of one that lasts.
public struct FailoverEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The service went down.
        case outage(PingFailure)
        /// It is still down.
        case reminder(PingFailure, lasting: Duration)
        /// It is back, after that long.
        case recovery(after: Duration)
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

    /// What the ping said that failed; `nil` of a recovery.
    public var failure: PingFailure? {
        switch kind {
        case .outage(let failure), .reminder(let failure, _): failure
        case .recovery: nil
        }
    }

    /// How long the outage had lasted at ``time``; zero when it has just begun.
    public var outageDuration: Duration {
        switch kind {
        case .outage: .zero
        case .reminder(_, let lasting): lasting
        case .recovery(let duration): duration
        }
    }

    /// When the outage began.
    public var since: WallTime { time.before(outageDuration) }

    /// The log line of the event, word for word as the older library wrote it.
    public var message: String {
        switch kind {
        case .outage, .reminder: "\(service) outage. Failover initiated. (Process ID: \(processID))"
        case .recovery: "\(service) is back up. Recovery complete. (Process ID: \(processID))"
        }
    }
}

extension FailoverEvent.Kind {
    /// `outage`, `reminder` or `recovery`: the words of `events` in the configuration.
    public var name: Name {
        switch self {
        case .outage: .outage
        case .reminder: .reminder
        case .recovery: .recovery
        }
    }

    /// The kinds of event by name.
    public enum Name: String, Hashable, Sendable, CaseIterable {
        case outage, reminder, recovery
    }
}
