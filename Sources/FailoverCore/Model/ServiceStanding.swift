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
