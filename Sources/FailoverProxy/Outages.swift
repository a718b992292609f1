import FailoverCore

/// The times at which a loop was informed that aliases are down, and the aliases to dial as a last resort: a server may
/// already be up again, although no ping has noticed it yet.
struct Outages {
    /// The times in nanoseconds of the loop's clock, by position in the route table; `nil` for aliases that are up.
    private var since: [UInt64?] = []

    /// An alias that has been down for at most this time is not tried.
    private static let freshness: UInt64 = 1_000_000_000

    init(_ table: RouteTable, now: UInt64) { follow(table, after: table, now: now) }

    mutating func follow(_ table: RouteTable, after former: RouteTable, now: UInt64) {
        since += Array(repeating: nil, count: max(0, table.aliases.count - since.count))
        for (index, alias) in table.aliases.enumerated() {
            // If the alias was up in between, or if another alias is now at this position, its outage begins now.
            let isAsBefore = former.aliases.dropFirst(index).first.map {
                $0.isSame(as: alias) && $0.falls == alias.falls
            }
            since[index] = alias.outage == nil ? nil : isAsBefore == true ? since[index] ?? now : now
        }
    }

    /// The route's aliases that have been down for more than a second, those that were up last first. Aliases that
    /// went down in the same second keep the route's order.
    ///
    /// Excludes aliases that are in a drill, drained or retired, that have the wrong role or no longer follow their
    /// primary: these are not down because of a missing answer.
    func lastResort(ofRoute route: Int, in table: RouteTable, now: UInt64) -> [RouteTable.Candidate] {
        let fallen = table.order(ofRoute: route).compactMap { index -> (alias: Int, second: UInt64)? in
            let alias = table.aliases[index]
            guard index < since.count, let since = since[index], now &- min(now, since) > Self.freshness,
                alias.mayBeTriedAnyway
            else { return nil }
            return (index, since / 1_000_000_000)
        }
        let best = fallen.enumerated().sorted { ($1.element.second, $0.offset) < ($0.element.second, $1.offset) }
        return best.map { .init(alias: $0.element.alias, addresses: table.aliases[$0.element.alias].addresses) }
    }
}

extension AliasState {
    fileprivate var mayBeTriedAnyway: Bool {
        switch outage?.reason {
        case nil, .wrongRole, .replicationStopped: false
        default: !isDrilled && !isLeaving && !mustNotServe
        }
    }
}

extension RouteTable {
    /// The healthy alias that a new session tries first: up, accepting sessions and not suspect.
    func choice(ofRoute route: Int) -> Int? {
        guard let first = candidates(ofRoute: route).first?.alias, !aliases[first].isSuspect,
            !aliases[first].refusesSessions
        else { return nil }
        return first
    }
}
