/// A listener's aliases: first the service's own, which serve side by side, then its failover aliases in order.
public struct Route: Hashable, Sendable {
    public let name: String
    /// Positions in ``RouteTable/aliases``.
    public let aliases: [Int]
    /// So many of the first ``aliases`` are the route's own.
    public let preferredCount: Int
    /// With fewer of its own aliases fit to serve the failover aliases come first.
    public let minReplicas: Int
    /// Whether stale aliases serve when no fresh one is up.
    public let servesStale: Bool
    /// The largest part of its aliases, from 0 to 1, that come later because sessions suspect them.
    public let maxSuspectShare: Double
    /// The configuration has it no longer; it is here for the sessions that it has.
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

    /// The route's own aliases.
    public var preferred: ArraySlice<Int> { aliases.prefix(preferredCount) }

    /// The aliases that serve when its own do not, in order.
    public var failover: ArraySlice<Int> { aliases.dropFirst(preferredCount) }
}

/// The order in which a route's new sessions try its aliases.
struct RouteOrder: Hashable, Sendable {
    /// All of the route, as it prefers them: the one that an operator switched it to; its own; its failover aliases.
    /// While too few of its own are left, these come last.
    let preference: [Int]
    /// Those that may serve: up; up, but full or blocking this machine; up, but suspect; stale, if the route serves such. Never
    /// one that is drained.
    let candidates: [RouteTable.Candidate]
    /// So many of the first candidates serve side by side; 0 if there is none.
    let sharing: Int
    /// Whether fewer of its own aliases are left than the route is to do with.
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
        // Who switches a route to a stale alias wants it.
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

    /// The aliases that sessions suspect and that therefore come later: no more than the route's share, so that its sessions
    /// cannot talk it out of all of them.
    private static func suspects(of route: Route, _ preference: [Int], among aliases: [AliasState]) -> Set<Int> {
        let most = Int(Double(preference.count) * route.maxSuspectShare)
        return Set(preference.filter { aliases[$0].isSuspect }.prefix(max(0, min(most, preference.count - 1))))
    }

    /// Whether a session of one alias would be better off with another. Those of the route's own serve side by side, and
    /// sessions that one of them has stay when too few are left.
    ///
    /// - Parameter route: the one that this is the order of.
    func prefers(_ other: Int, to alias: Int, on route: Route) -> Bool {
        if alias == pin { return false }
        if route.preferred.contains(alias) { return other == pin }
        guard let its = preference.firstIndex(of: alias), let others = preference.firstIndex(of: other) else {
            return false
        }
        return others < its
    }
}
