/// What is known of a service that is up, beside that: what new sessions should know before they go there.
public struct ServiceStanding: Hashable, Sendable {
    /// Whether the server takes new sessions.
    public enum Availability: String, Hashable, Sendable {
        case open
        /// It has as many connections as it takes: PostgreSQL 53300; MySQL 1040, 1203, 1226.
        case full
        /// It refuses this machine's address: MySQL 1129, 1130.
        case blocked
    }

    /// Sessions saw errors that no ping has answered yet.
    public var isSuspect: Bool
    public var availability: Availability
    /// What the server says when it refuses the monitor; `nil` while it does not.
    public var refusal: PingFailure?

    public init(isSuspect: Bool = false, availability: Availability = .open, refusal: PingFailure? = nil) {
        self.isSuspect = isSuspect
        self.availability = availability
        self.refusal = refusal
    }
}

/// What is known of a service at one moment.
public struct ServiceStatus: Hashable, Sendable {
    /// The decided state.
    public enum Verdict: Hashable, Sendable {
        case up
        /// Down for that long, with what the latest failing ping said.
        case down(PingFailure, lasting: Duration)
    }

    public let verdict: Verdict
    /// What new sessions should know of a service that is up.
    public let standing: ServiceStanding
    /// How long the server has been refusing the monitor; `nil` while it does not.
    public let degradedFor: Duration?
    /// Results in a row that contradict the verdict.
    public let unconfirmed: Int
    /// A ping is in flight.
    public let isPinging: Bool

    public init(
        verdict: Verdict, standing: ServiceStanding = ServiceStanding(), degradedFor: Duration? = nil, unconfirmed: Int,
        isPinging: Bool
    ) {
        self.verdict = verdict
        self.standing = standing
        self.degradedFor = degradedFor
        self.unconfirmed = unconfirmed
        self.isPinging = isPinging
    }

    /// Sessions saw errors that no ping has answered yet.
    public var isSuspect: Bool { standing.isSuspect }

    /// Whether the server lives and refuses the monitor.
    public var isDegraded: Bool { isUp && standing.refusal != nil }

    /// Whether the service counts as up.
    public var isUp: Bool { verdict == .up }
}

/// All that is known of a monitored service at one moment.
public struct ServiceReport: Sendable {
    public let name: String
    public let settings: MonitorSettings
    public let status: ServiceStatus
    /// When the decided state began; the start of the monitoring unless there was an outage.
    public let since: WallTime
    public let history: PingHistory
    /// Outages since the start.
    public let outages: Int
    /// How far a replica is behind its primary by the latest ping; `nil` when that does not know.
    public let lag: Duration?

    public init(
        name: String, settings: MonitorSettings, status: ServiceStatus, since: WallTime, history: PingHistory,
        outages: Int, lag: Duration? = nil
    ) {
        self.lag = lag
        self.name = name
        self.settings = settings
        self.status = status
        self.since = since
        self.history = history
        self.outages = outages
    }
}
