/// What is known of a service at one moment.
public struct ServiceStatus: Hashable, Sendable {
    /// The decided state.
    public enum Verdict: Hashable, Sendable {
        case up
        /// Down for that long, with what the latest failing ping said.
        case down(PingFailure, lasting: Duration)
    }

    public let verdict: Verdict
    /// An error was observed that no ping has answered yet.
    public let isSuspect: Bool
    /// Results in a row that contradict the verdict.
    public let unconfirmed: Int
    /// A ping is in flight.
    public let isPinging: Bool

    public init(verdict: Verdict, isSuspect: Bool, unconfirmed: Int, isPinging: Bool) {
        self.verdict = verdict
        self.isSuspect = isSuspect
        self.unconfirmed = unconfirmed
        self.isPinging = isPinging
    }

    /// Whether the service counts as up.
    public var isUp: Bool { verdict == .up }
}
