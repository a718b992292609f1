import FailoverCore

/// Since when aliases are down, as a loop has learned it, and which of them are dialed when nobody else is left: a ping
/// may not have seen yet that they are well again.
struct Outages {
    /// In nanoseconds of the loop's clock, by position in the route table; `nil` of those that are up.
    private var since: [UInt64?] = []

    /// A verdict that is younger is believed.
    private static let freshness: UInt64 = 1_000_000_000

    init(_ table: RouteTable, now: UInt64) { follow(table, now: now) }

    mutating func follow(_ table: RouteTable, now: UInt64) {
        since += Array(repeating: nil, count: max(0, table.aliases.count - since.count))
        for (index, alias) in table.aliases.enumerated() {
            since[index] = alias.outage == nil ? nil : since[index] ?? now
        }
    }

    /// The route's aliases that are down for more than a second, best known first: those that were up last. What fell in
    /// the same second, in the route's order.
    ///
    /// None whose outage is rehearsed, that is drained or retired, has the wrong role or no longer follows its primary:
    /// they are not down for want of an answer.
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
