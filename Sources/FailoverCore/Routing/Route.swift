/// A listener's ordered aliases: first the service's own, then its failover aliases.
public struct Route: Hashable, Sendable {
    public let name: String
    /// Positions in ``RouteTable/aliases``.
    public let aliases: [Int]
    /// Whether stale aliases serve when no fresh one is up.
    public let servesStale: Bool
    /// The configuration has it no longer; it is here for the sessions that it has.
    public let isRetired: Bool

    public init(name: String, aliases: [Int], servesStale: Bool = false, isRetired: Bool = false) {
        self.name = name
        self.aliases = aliases
        self.servesStale = servesStale
        self.isRetired = isRetired
    }
}
