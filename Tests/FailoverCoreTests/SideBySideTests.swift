import FailoverCore
import FailoverTesting
import Testing

@Suite("Several preferred aliases of a route")
struct SideBySideTests {
    let refused = PingFailure(.refused, "connection refused")
    let old = Staleness(behind: .seconds(12))
    /// Three replicas and two failover aliases. The second route requires at least two replicas. The third serves
    /// stale aliases.
    let board = RouteBoard(
        RouteTable(
            aliases: ["a", "b", "c", "default", "spare"].map {
                AliasState(name: $0, endpoint: .tcp(host: $0, port: 5432))
            },
            routes: [
                Route(name: "any", aliases: [0, 1, 2, 3, 4], preferredCount: 3, servesStale: false),
                Route(name: "two", aliases: [0, 1, 2, 3, 4], preferredCount: 3, minReplicas: 2, servesStale: false),
                Route(name: "lenient", aliases: [0, 1, 2, 3, 4], preferredCount: 3),
            ]))

    private func order(_ route: Int) -> [Int] { board.table.candidates(ofRoute: route).map(\.alias) }
    private func side(_ route: Int) -> [Int] { Array(order(route).prefix(board.table.sharing(ofRoute: route))) }
    private func selection(_ route: Int) -> RouteSelection { board.table.selection(ofRoute: route) }

    @Test func allOfThemServe() {
        #expect(order(0) == [0, 1, 2, 3, 4])
        #expect(side(0) == [0, 1, 2])
        #expect(selection(0) == RouteSelection(alias: 0, others: [1, 2], reason: .preferred))
        #expect(selection(0).serving == [0, 1, 2])
    }

    @Test func thoseThatAreLeftServeWithoutTheOne() {
        board.markDown(alias: 0, because: refused)
        #expect(order(0) == [1, 2, 3, 4])
        #expect(side(0) == [1, 2])
        let one = RouteSelection.Passed(alias: 0, reason: .down(refused))
        #expect(selection(0) == RouteSelection(alias: 1, others: [2], reason: .preferred, passed: [one]))
        #expect(board.table.servingAlias(insteadOf: 0) == "b")
    }

    @Test func theFailoverAliasServesAloneWhenNoneIsLeft() {
        for alias in 0...2 { board.markDown(alias: alias, because: refused) }
        #expect(order(0) == [3, 4])
        #expect(side(0) == [3])
        #expect(selection(0).reason == .failover)
        #expect(selection(0).passed.map(\.alias) == [0, 1, 2])
        board.markDown(alias: 3, because: refused)
        board.markDown(alias: 4, because: refused)
        #expect(board.table.sharing(ofRoute: 0) == 0)
        #expect(selection(0).reason == .nothingUp)
    }

    @Test func aSuspectOneIsTriedLast() {
        board.setSuspect(alias: 0, true)
        #expect(order(0) == [1, 2, 3, 4, 0])
        #expect(side(0) == [1, 2])
        #expect(selection(0).passed == [.init(alias: 0, reason: .suspect)])
        #expect(selection(0).reason == .preferred)
    }

    @Test func withFewerThanTheLeastTheFailoverAliasesComeFirst() {
        board.markDown(alias: 0, because: refused)
        #expect(side(1) == [1, 2])
        board.setStaleness(alias: 1, old)
        #expect(order(1) == [3, 4, 2])
        #expect(side(1) == [3])
        let selection = selection(1)
        #expect(selection.alias == 3)
        #expect(selection.reason == .failover)
        #expect(selection.passed.map(\.reason) == [.down(refused), .stale(old), .belowMinReplicas(2)])
        // Another route requires only one.
        #expect(side(0) == [2])
        board.markUp(alias: 0)
        #expect(side(1) == [0, 2])
    }

    @Test func suspicionIsNoLackOfReplicas() {
        board.markDown(alias: 0, because: refused)
        board.setSuspect(alias: 1, true)
        #expect(side(1) == [2])
    }

    @Test func theLastReplicaServesWhenNoFailoverAliasDoes() {
        for alias in [0, 1, 3, 4] { board.markDown(alias: alias, because: refused) }
        #expect(order(1) == [2])
        #expect(selection(1).alias == 2)
        #expect(selection(1).reason == .failover)
    }

    @Test func staleOnesServeSideBySideWhereThatIsWanted() {
        for alias in 0...2 { board.setStaleness(alias: alias, old) }
        #expect(order(2) == [3, 4, 0, 1, 2])
        board.markDown(alias: 3, because: refused)
        board.markDown(alias: 4, because: refused)
        #expect(side(2) == [0, 1, 2])
        #expect(side(0) == [])
    }

    @Test func aPinIsToOneAlone() {
        board.pin(route: 0, to: 1)
        #expect(order(0) == [1, 0, 2, 3, 4])
        #expect(side(0) == [1])
        #expect(selection(0) == RouteSelection(alias: 1, reason: .pinned))
        board.markDown(alias: 1, because: refused)
        #expect(side(0) == [0, 2])
    }

    @Test func sessionsMoveFromFailoverAliasesAndNotAmongEquals() {
        let table = board.table
        #expect(!table.prefers(0, to: 1, onRoute: 0))
        #expect(table.prefers(0, to: 3, onRoute: 0))
        #expect(table.prefers(2, to: 4, onRoute: 0))
        #expect(table.prefers(3, to: 4, onRoute: 0))
        #expect(!table.prefers(3, to: 2, onRoute: 0))
        board.pin(route: 0, to: 1)
        #expect(board.table.prefers(1, to: 0, onRoute: 0))
        #expect(board.table.prefers(1, to: 3, onRoute: 0))
        #expect(!board.table.prefers(0, to: 1, onRoute: 0))
    }

    @Test func sessionsOfTheLastReplicaStay() {
        board.markDown(alias: 0, because: refused)
        board.markDown(alias: 1, because: refused)
        #expect(side(1) == [3])
        #expect(!board.table.prefers(3, to: 2, onRoute: 1))
        #expect(board.table.prefers(3, to: 4, onRoute: 1))
    }
}
