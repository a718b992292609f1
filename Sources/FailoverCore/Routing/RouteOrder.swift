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
        let own = route.own
        let left = own.count { aliases[$0].isFit }
        let isShort = left > 0 && left < route.leastOwn
        let configured = isShort ? Array(route.failover) + own : route.aliases
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
        let isOwn = { (alias: Int) in own.contains(alias) && alias != pin }
        sharing = best.first.map(isOwn) == true ? best.prefix(while: isOwn).count : min(1, best.count)
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
        if route.own.contains(alias) { return other == pin }
        guard let its = preference.firstIndex(of: alias), let others = preference.firstIndex(of: other) else {
            return false
        }
        return others < its
    }
}
