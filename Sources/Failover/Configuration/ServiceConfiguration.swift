public import FailoverCore

/// One entry of `services`.
public struct ServiceConfiguration: Hashable, Sendable {
    /// What kind of thing is served or pinged.
    public enum Kind: Hashable, Sendable {
        /// `type: database`: a route over database aliases.
        case database(DatabaseRoute)
        /// `type: tcp`: pinged by connect, notify-only.
        case tcp(Endpoint, MonitorSettings)
    }

    /// Letters, digits, `_`, `.` and `-`. Equal to an alias's name only if the service's route holds that alias.
    public var name: String
    /// The `type` and what belongs to it.
    public var kind: Kind

    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}
