/// What new sessions need to know about a service that is up before they connect to it.
public struct ServiceStanding: Hashable, Sendable {
    /// Whether the server takes new sessions.
    public enum Availability: String, Hashable, Sendable {
        case open
        /// The server has reached its connection limit: PostgreSQL 53300; MySQL 1040, 1203, 1226.
        case full
        /// The server refuses this machine's address: MySQL 1129, 1130.
        case blocked
    }

    /// Whether sessions saw enough errors since the last answered ping: see ``MonitorSettings/suspectAfter``.
    public var isSuspect: Bool
    /// Whether the server takes new sessions.
    public var availability: Availability
    /// The failure with which the server refuses the monitor; `nil` while it does not.
    public var refusal: PingFailure?

    public init(isSuspect: Bool = false, availability: Availability = .open, refusal: PingFailure? = nil) {
        self.isSuspect = isSuspect
        self.availability = availability
        self.refusal = refusal
    }
}

/// The status of a service at one moment.
public struct ServiceStatus: Hashable, Sendable {
    /// The decided state.
    public enum Verdict: Hashable, Sendable {
        case up
        /// Down for `lasting`, with the failure of the latest failed ping.
        case down(PingFailure, lasting: Duration)
    }

    /// The decided state.
    public let verdict: Verdict
    /// What new sessions need to know about the service while it is up.
    public let standing: ServiceStanding
    /// How long the server has been refusing the monitor; `nil` while it does not.
    public let degradedFor: Duration?
    /// The number of results in a row that contradict the verdict.
    public let unconfirmed: Int
    /// Whether a ping is in flight.
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

    /// Whether the service is suspect: see ``ServiceStanding/isSuspect``.
    public var isSuspect: Bool { standing.isSuspect }

    /// Whether the server is alive and refuses the monitor.
    public var isDegraded: Bool { isUp && standing.refusal != nil }

    /// Whether the service counts as up.
    public var isUp: Bool { verdict == .up }
}

/// Everything that is known about a monitored service at one moment.
public struct ServiceReport: Sendable {
    public let name: String
    public let settings: MonitorSettings
    public let status: ServiceStatus
    /// When the decided state began. Without an outage, this is the start of the monitoring.
    public let since: WallTime
    public let history: PingHistory
    /// The number of outages since the start of the monitoring.
    public let outages: Int
    /// How far a replica is behind its primary according to the latest ping; `nil` if the ping could not determine it.
    public let lag: Duration?
    /// The TLS session of the latest ping that succeeded; `nil` without TLS, and before the first such ping.
    public let tls: TLSFacts?

    public init(
        name: String, settings: MonitorSettings, status: ServiceStatus, since: WallTime, history: PingHistory,
        outages: Int, lag: Duration? = nil, tls: TLSFacts? = nil
    ) {
        self.lag = lag
        self.tls = tls
        self.name = name
        self.settings = settings
        self.status = status
        self.since = since
        self.history = history
        self.outages = outages
    }
}
