/// A listener's aliases: first the service's own, which serve side by side, then its failover aliases in order.
public struct Route: Hashable, Sendable {
    public let name: String
    /// Positions in ``RouteTable/aliases``.
    public let aliases: [Int]
    /// So many of the first ``aliases`` are the route's own.
    public let ownCount: Int
    /// With fewer of its own aliases fit to serve the failover aliases come first.
    public let leastOwn: Int
    /// Whether stale aliases serve when no fresh one is up.
    public let servesStale: Bool
    /// The largest part of its aliases, from 0 to 1, that come later because sessions suspect them.
    public let maxSuspectShare: Double
    /// The configuration has it no longer; it is here for the sessions that it has.
    public let isRetired: Bool

    public init(
        name: String, aliases: [Int], ownCount: Int = 1, leastOwn: Int = 1, servesStale: Bool = true,
        maxSuspectShare: Double = 0.5, isRetired: Bool = false
    ) {
        self.name = name
        self.aliases = aliases
        self.ownCount = min(ownCount, aliases.count)
        self.leastOwn = leastOwn
        self.servesStale = servesStale
        self.maxSuspectShare = min(max(0, maxSuspectShare), 1)
        self.isRetired = isRetired
    }

    /// The route's own aliases.
    public var own: ArraySlice<Int> { aliases.prefix(ownCount) }

    /// The aliases that serve when its own do not, in order.
    public var failover: ArraySlice<Int> { aliases.dropFirst(ownCount) }
}
