import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("How sessions are shared among aliases")
struct BalancerTests {
    private static let second: UInt64 = 1_000_000_000

    private func balancer(_ policy: BalanceSettings.Policy, _ weights: [Int], slowStart: Duration = .zero) -> Balancer {
        Balancer(settings: BalanceSettings(policy: policy, slowStart: slowStart), weights: weights)
    }

    /// The number of sessions that each alias gets. Each session lives for a random time, `lives` choices on average.
    private func share(_ balancer: inout Balancer, sessions: Int, lives: Int, among aliases: [Int]) -> [Int] {
        var random = SplitMix(state: 1)
        var open: [(end: Int, alias: Int)] = []
        var counts = aliases.map { _ in 0 }
        for time in 0..<sessions {
            for session in open where session.end <= time { balancer.leave(session.alias) }
            open.removeAll { $0.end <= time }
            let alias = balancer.choose(among: aliases, now: 0)
            counts[alias] += 1
            open.append((time + Int.random(in: 0...2 * lives, using: &random), alias))
        }
        return counts
    }

    @Test(
        "10,000 sessions, fair within 2 %", arguments: [.leastSessions, .roundRobin] as [BalanceSettings.Policy],
        [[1, 1, 1], [5, 1, 1], [3, 2, 1]])
    func isFair(policy: BalanceSettings.Policy, weights: [Int]) {
        for lives in [0, 2, 5, 10, 50, 300] {
            var balancer = balancer(policy, weights)
            let counts = share(&balancer, sessions: 10_000, lives: lives, among: Array(weights.indices))
            let total = weights.reduce(0, +)
            for (count, weight) in zip(counts, weights) {
                let fair = 10_000 * Double(weight) / Double(total)
                #expect(abs(Double(count) - fair) <= 200, "\(policy) \(weights) \(lives): \(counts)")
            }
        }
    }

    @Test func turnsAreSpreadOut() {
        var balancer = balancer(.roundRobin, [5, 1, 1])
        let turns = (0..<7).map { _ in balancer.choose(among: [0, 1, 2], now: 0) }
        #expect(turns == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test func theOneWithTheFewestSessionsForItsWeightIsNext() {
        var balancer = balancer(.leastSessions, [1, 2, 1])
        for _ in 0..<3 { balancer.join(0) }
        for _ in 0..<4 { balancer.join(1) }
        for _ in 0..<3 { balancer.join(2) }
        #expect(balancer.choose(among: [0, 1, 2], now: 0) == 1)
        balancer.leave(2)
        balancer.leave(2)
        #expect(balancer.choose(among: [0, 1, 2], now: 0) == 2)
        #expect(balancer.choose(among: [0, 1], now: 0) == 1)
    }

    @Test func theFirstGetsAll() {
        var balancer = balancer(.first, [1, 9])
        #expect((0..<5).map { _ in balancer.choose(among: [0, 1], now: 0) } == [0, 0, 0, 0, 0])
        #expect(balancer.choose(among: [1], now: 0) == 1)
    }

    @Test("The share of a returning alias grows with time", arguments: [(3, 10), (15, 50), (30, 100), (3600, 100)])
    func slowStart(seconds: UInt64, percent: Int) {
        var balancer = balancer(.roundRobin, [1, 1], slowStart: .seconds(30))
        balancer.rise(1, now: 100 * Self.second)
        let now = (100 + seconds) * Self.second
        let counts = (0..<11_000).map { _ in balancer.choose(among: [0, 1], now: now) }
        let fair = 11_000 * percent / (100 + percent)
        #expect(abs(counts.count { $0 == 1 } - fair) <= 11)
    }

    @Test func oneThatIsBackDoesNotGetAllSessionsAtOnce() {
        var balancer = balancer(.leastSessions, [1, 1], slowStart: .seconds(30))
        for _ in 0..<100 { balancer.join(0) }
        balancer.rise(1, now: 0)
        let chosen = (0..<50).map { _ in balancer.choose(among: [0, 1], now: 3 * Self.second) }
        // A tenth of the other alias's share.
        #expect((10...14).contains(chosen.count { $0 == 1 }))
        // Without a slow start it gets every session.
        var other = self.balancer(.leastSessions, [1, 1])
        for _ in 0..<100 { other.join(0) }
        other.rise(1, now: 0)
        #expect((0..<50).allSatisfy { _ in other.choose(among: [0, 1], now: 0) == 1 })
    }

    @Test func oneAloneServesHoweverSlowItsStart() {
        var balancer = balancer(.roundRobin, [1, 1], slowStart: .seconds(30))
        balancer.rise(0, now: 5)
        #expect(balancer.choose(among: [0], now: 5) == 0)
        // A loop's clock may be behind that of another loop.
        #expect(balancer.choose(among: [0], now: 4) == 0)
    }

    @Test func anotherConfigurationKeepsTheCounts() {
        var balancer = balancer(.leastSessions, [1, 1])
        for _ in 0..<3 { balancer.join(0) }
        balancer.change(settings: BalanceSettings(), weights: [1, 1, 1])
        #expect((0..<6).map { _ in balancer.choose(among: [0, 1, 2], now: 0) }.allSatisfy { $0 != 0 })
    }
}
