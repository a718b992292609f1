import FailoverCore
import FailoverSystem

/// Chooses the alias of a route's next session. It is a pure value: the caller reports sessions and passes the time.
///
/// The algorithm is nginx's smooth weighted round robin. Each choice gives every alias a credit of its weight and
/// charges the sum of all weights to the chosen one. So with weights 5, 1 and 1 the first alias is not chosen five
/// times in a row. The same turns decide between aliases with equally few sessions: the alias that has waited longest
/// comes first. Over time each alias gets its share of new sessions, even if too few are open to balance by count.
struct Balancer {
    private struct Member {
        var sessions = 0
        var credit = 0.0
        /// When the alias began to serve again.
        var risenAt: UInt64?
    }

    /// The smallest share of its weight that a returning alias gets, so that its weight is never zero.
    private static let leastPart = 0.01
    /// Credit and debt are limited to this number of rounds, so that an alias that had many long sessions does not
    /// get every new session afterwards.
    private static let memory = 10.0

    private var settings: BalanceSettings
    /// The weight of each alias, by position in the route table, like `members`.
    private var weights: [Int]
    private var members: [Member] = []

    init(settings: BalanceSettings, weights: [Int]) {
        self.settings = settings
        self.weights = weights
        members = weights.map { _ in Member() }
    }

    /// Replaces the settings. Sessions and positions are kept.
    mutating func change(settings: BalanceSettings, weights: [Int]) {
        self.settings = settings
        self.weights = weights
        members += Array(repeating: Member(), count: max(0, weights.count - members.count))
    }

    /// Chooses the alias for the next session. The session counts for this alias from now on.
    ///
    /// - Parameters:
    ///   - aliases: at least one.
    ///   - now: nanoseconds of a clock that never goes back.
    mutating func choose(among aliases: [Int], now: UInt64) -> Int {
        if settings.policy == .first {
            members[aliases[0]].sessions += 1
            return aliases[0]
        }
        let weights = aliases.map { weight(of: $0, now: now) }
        var tied = Array(aliases.indices)
        if settings.policy == .leastSessions {
            // Candidates: aliases whose load is below what any alias would have with one more session. With equal
            // weights these are the aliases with the fewest sessions. With different weights, an idle light alias
            // does not take every session from a heavy alias that has one.
            let limit = tied.map { Double(members[aliases[$0]].sessions + 1) / weights[$0] }.min() ?? 0
            tied = tied.filter { Double(members[aliases[$0]].sessions) / weights[$0] < limit }
        }
        let chosen = nextInTurn(tied.map { aliases[$0] }, of: aliases, weights)
        members[chosen].sessions += 1
        return chosen
    }

    private mutating func nextInTurn(_ tied: [Int], of aliases: [Int], _ weights: [Double]) -> Int {
        let round = weights.reduce(0, +)
        for (alias, weight) in zip(aliases, weights) { members[alias].credit += weight }
        var chosen = tied[0]
        for alias in tied where members[alias].credit > members[chosen].credit { chosen = alias }
        members[chosen].credit -= round
        for alias in aliases {
            members[alias].credit = max(-Self.memory * round, min(Self.memory * round, members[alias].credit))
        }
        return chosen
    }

    private func weight(of alias: Int, now: UInt64) -> Double {
        let whole = Double(weights[alias])
        let slowStart = Double(settings.slowStart.nanoseconds)
        guard slowStart > 0, let risenAt = members[alias].risenAt else { return whole }
        return whole * min(1, max(Self.leastPart, Double(now - min(now, risenAt)) / slowStart))
    }

    /// A session is served by an alias that this balancer did not choose for it.
    mutating func join(_ alias: Int) { members[alias].sessions += 1 }

    /// A session no longer counts for the alias.
    mutating func leave(_ alias: Int) { members[alias].sessions -= 1 }

    /// The alias serves again.
    mutating func rise(_ alias: Int, now: UInt64) {
        members[alias].risenAt = now
        members[alias].credit = 0
    }
}

/// A route's balancer, shared by all event loops.
final class SharedBalancer: Sendable {
    private let balancer: Lock<Balancer>

    init(settings: BalanceSettings, weights: [Int]) {
        balancer = Lock(Balancer(settings: settings, weights: weights))
    }

    func change(settings: BalanceSettings, weights: [Int]) {
        balancer.withLock { $0.change(settings: settings, weights: weights) }
    }

    /// Orders the first candidates for a new session, the chosen alias first.
    ///
    /// - Parameter sharing: the number of leading candidates that serve side by side; at least 1.
    func choose(
        _ candidates: [RouteTable.Candidate], sharing: Int, now: UInt64
    ) -> (candidates: [RouteTable.Candidate], share: BalanceShare) {
        let side = candidates.prefix(sharing).map(\.alias)
        let chosen = balancer.withLock { $0.choose(among: side, now: now) }
        let index = side.firstIndex(of: chosen) ?? 0
        // The candidates are rotated: if the chosen alias fails, the session tries the alias after it, not always the
        // first one.
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

/// The count of one session for an alias.
struct BalanceShare {
    fileprivate let balancer: SharedBalancer
    fileprivate let alias: Int

    /// Counts the session for another alias, or for none (`nil`).
    func moved(to other: Int?) -> BalanceShare? {
        if other == alias { return self }
        balancer.move(from: alias, to: other)
        return other.map { BalanceShare(balancer: balancer, alias: $0) }
    }
}
