import FailoverCore

/// A route's balancer, for all event loops.
final class SharedBalancer: Sendable {
    private let balancer: Lock<Balancer>

    init(settings: BalanceSettings, weights: [Int]) {
        balancer = Lock(Balancer(settings: settings, weights: weights))
    }

    func change(settings: BalanceSettings, weights: [Int]) {
        balancer.withLock { $0.change(settings: settings, weights: weights) }
    }

    /// The first candidates in the order in which a new session tries them, the one chosen in front.
    ///
    /// - Parameter sharing: so many of the first serve side by side; at least 1.
    func choose(
        _ candidates: [RouteTable.Candidate], sharing: Int, now: UInt64
    ) -> (candidates: [RouteTable.Candidate], share: BalanceShare) {
        let side = candidates.prefix(sharing).map(\.alias)
        let chosen = balancer.withLock { $0.choose(among: side, now: now) }
        let index = side.firstIndex(of: chosen) ?? 0
        // Those behind it take over from it, so that they do not all fall upon one.
        let turned = candidates[index..<sharing] + candidates[..<index] + candidates[sharing...]
        return (Array(turned), BalanceShare(balancer: self, alias: chosen))
    }

    func join(_ alias: Int) -> BalanceShare {
        balancer.withLock { $0.join(alias) }
        return BalanceShare(balancer: self, alias: alias)
    }

    func rise(_ alias: Int, now: UInt64) { balancer.withLock { $0.rise(alias, now: now) } }

    fileprivate func move(from alias: Int, to other: Int?) {
        balancer.withLock { balancer in
            balancer.leave(alias)
            if let other { balancer.join(other) }
        }
    }
}

/// That a session counts for an alias.
struct BalanceShare {
    fileprivate let balancer: SharedBalancer
    fileprivate let alias: Int

    /// It counts for another alias, or (`nil`) for none, from now on.
    func moved(to other: Int?) -> BalanceShare? {
        if other == alias { return self }
        balancer.move(from: alias, to: other)
        return other.map { BalanceShare(balancer: balancer, alias: $0) }
    }
}
