/// A listener's ordered aliases: first the service's own, then its failover aliases.
public struct Route: Hashable, Sendable {
    public let name: String
    /// Positions in ``RouteTable/aliases``.
    public let aliases: [Int]

    public init(name: String, aliases: [Int]) {
        self.name = name
        self.aliases = aliases
    }
}
