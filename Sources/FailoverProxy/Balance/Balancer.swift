/// Chooses which of several aliases gets a route's next session. Pure: it is told of sessions and of time.
///
/// Turns are those of nginx's smooth weighted round robin: each choice gives every alias a credit of its weight, and takes
/// their sum from the one chosen. So of weights 5, 1 and 1 the first is not chosen five times in a row. Turns decide also
/// between aliases with as few sessions as each other, whoever had to wait longest first: over time each gets its part of
/// the sessions that come, be those that are open too few to tell.
struct Balancer {
    private struct Member {
        var sessions = 0
        var credit = 0.0
        /// Since when it serves again.
        var risenAt: UInt64?
    }

    /// The least part of its weight that an alias has: one that has just come back is not left out for ever when all
    /// time stands still.
    private static let leastPart = 0.01
    /// Credit and debt of no more than so many rounds are remembered: an alias that had many long sessions is not to get
    /// all new ones afterwards.
    private static let memory = 10.0

    private var settings: BalanceSettings
    /// By position in the route table, as `members`.
    private var weights: [Int]
    private var members: [Member] = []

    init(settings: BalanceSettings, weights: [Int]) {
        self.settings = settings
        self.weights = weights
        members = weights.map { _ in Member() }
    }

    /// Other settings, with the sessions of before; positions stay.
    mutating func change(settings: BalanceSettings, weights: [Int]) {
        self.settings = settings
        self.weights = weights
        members += Array(repeating: Member(), count: max(0, weights.count - members.count))
    }

    /// The alias for the next session, which counts for it from now on.
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
            // Those that have less than any of them would have with one more. Of equal weights these have the fewest; of
            // others a light one that is idle does not take every session from a heavy one that has its first.
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

    /// A session came to the alias without having been given it here.
    mutating func join(_ alias: Int) { members[alias].sessions += 1 }

    /// A session that counted for the alias does so no more.
    mutating func leave(_ alias: Int) { members[alias].sessions -= 1 }

    /// The alias serves again.
    mutating func rise(_ alias: Int, now: UInt64) {
        members[alias].risenAt = now
        members[alias].credit = 0
    }
}
