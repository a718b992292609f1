/// The aliases of a route: first the preferred ones, which share new sessions, then the failover aliases in order.
public struct Route: Hashable, Sendable {
    public let name: String
    /// Positions in ``RouteTable/aliases``.
    public let aliases: [Int]
    /// How many of the first ``aliases`` are the preferred ones.
    public let preferredCount: Int
    /// If fewer preferred aliases than this can serve, the failover aliases come first. Default: 1.
    public let minReplicas: Int
    /// Whether stale aliases serve when no fresh one is up. Default: true.
    public let servesStale: Bool
    /// The maximum fraction of the aliases, from 0 to 1, that come later because sessions suspect them. Default: 0.5.
    public let maxSuspectShare: Double
    /// Whether the route is no longer in the configuration. It is kept for its open sessions.
    public let isRetired: Bool

    public init(
        name: String, aliases: [Int], preferredCount: Int = 1, minReplicas: Int = 1, servesStale: Bool = true,
        maxSuspectShare: Double = 0.5, isRetired: Bool = false
    ) {
        self.name = name
        self.aliases = aliases
        self.preferredCount = min(preferredCount, aliases.count)
        self.minReplicas = minReplicas
        self.servesStale = servesStale
        self.maxSuspectShare = min(max(0, maxSuspectShare), 1)
        self.isRetired = isRetired
    }

    /// The preferred aliases.
    public var preferred: ArraySlice<Int> { aliases.prefix(preferredCount) }

    /// The aliases that serve when the preferred ones cannot, in order.
    public var failover: ArraySlice<Int> { aliases.dropFirst(preferredCount) }
}

/// The order in which a route's new sessions try its aliases.
struct RouteOrder: Hashable, Sendable {
    /// All aliases of the route in its order of preference: the one that an operator switched it to, the preferred
    /// ones, the failover aliases. While ``isShort``, the preferred ones come after the failover aliases.
    let preference: [Int]
    /// The aliases that may serve, in this order: those that are up; full or blocking this machine; suspect; stale, if
    /// the route serves stale aliases. Drained aliases are left out.
    let candidates: [RouteTable.Candidate]
    /// How many of the first candidates share new sessions; 0 if there is no candidate.
    let sharing: Int
    /// Whether some preferred aliases can serve, but fewer than `minReplicas`.
    let isShort: Bool
    /// The alias that an operator switched the route to.
    private let pin: Int?

    init(of route: Route, pin: Int?, among aliases: [AliasState]) {
        let preferred = route.preferred
        let left = preferred.count { aliases[$0].isFit }
        let isShort = left > 0 && left < route.minReplicas
        let configured = isShort ? Array(route.failover) + preferred : route.aliases
        preference = [pin].compactMap(\.self) + configured.filter { $0 != pin }
        self.isShort = isShort
        self.pin = pin

        let usable = preference.filter { aliases[$0].failure == nil && !aliases[$0].isLeaving }
        // A stale alias to which an operator has switched the route serves.
        let fresh = usable.filter { aliases[$0].staleness == nil || $0 == pin }
        let suspect = Self.suspects(of: route, preference, among: aliases)
        let trusted = fresh.filter { !suspect.contains($0) }
        let classes = [
            trusted.filter { !aliases[$0].refusesSessions }, trusted.filter { aliases[$0].refusesSessions },
            fresh.filter(suspect.contains), route.servesStale ? usable.filter { !fresh.contains($0) } : [],
        ]
        candidates = classes.joined().map { .init(alias: $0, addresses: aliases[$0].addresses) }
        let best = classes.first { !$0.isEmpty } ?? []
        let isPreferred = { (alias: Int) in preferred.contains(alias) && alias != pin }
        sharing = best.first.map(isPreferred) == true ? best.prefix(while: isPreferred).count : min(1, best.count)
    }

    /// The suspect aliases that come later. Their number is limited by the route's share, so that sessions cannot
    /// make all aliases suspect.
    private static func suspects(of route: Route, _ preference: [Int], among aliases: [AliasState]) -> Set<Int> {
        let most = Int(Double(preference.count) * route.maxSuspectShare)
        return Set(preference.filter { aliases[$0].isSuspect }.prefix(max(0, min(most, preference.count - 1))))
    }

    /// Whether a session on one alias should move to another one. A session on a preferred alias moves only to the
    /// alias that an operator switched the route to, even if fewer than `minReplicas` preferred aliases are left.
    ///
    /// - Parameter route: the route that this order belongs to.
    func prefers(_ other: Int, to alias: Int, on route: Route) -> Bool {
        if alias == pin { return false }
        if route.preferred.contains(alias) { return other == pin }
        guard let its = preference.firstIndex(of: alias), let others = preference.firstIndex(of: other) else {
            return false
        }
        return others < its
    }
}
