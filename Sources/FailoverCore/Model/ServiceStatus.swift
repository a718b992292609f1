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
