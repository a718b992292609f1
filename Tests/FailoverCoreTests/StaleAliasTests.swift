import FailoverCore
import FailoverTesting
import Testing

@Suite("Which alias serves when one is stale")
struct StaleAliasTests {
    let refused = PingFailure(.refused, "connection refused")
    let old = Staleness(behind: .seconds(12), stopped: "replay is paused")
    /// The first route does not serve stale aliases, even if there is no other.
    let board = RouteBoard(
        RouteTable(
            aliases: ["slave", "default"].map { AliasState(name: $0, endpoint: .tcp(host: $0, port: 5432)) },
            routes: [
                Route(name: "strict", aliases: [0, 1], servesStale: false), Route(name: "lenient", aliases: [0, 1]),
            ]))

    private func order(_ route: Int) -> [Int] { board.table.candidates(ofRoute: route).map(\.alias) }

    @Test func freshAliasesComeFirst() {
        board.setStaleness(alias: 0, old)
        #expect(order(0) == [1])
        #expect(order(1) == [1, 0])
        let selection = RouteSelection(alias: 1, reason: .failover, passed: [.init(alias: 0, reason: .stale(old))])
        #expect(board.table.selection(ofRoute: 0) == selection)
        #expect(board.table.selection(ofRoute: 1) == selection)
        board.setStaleness(alias: 0, nil)
        #expect(order(0) == [0, 1])
    }

    @Test func aSuspectOneComesBeforeAStaleOne() {
        board.setStaleness(alias: 0, old)
        board.setSuspect(alias: 1, true)
        #expect(order(1) == [1, 0])
    }

    @Test func aStaleOneServesOnlyWhereThatIsWanted() {
        board.setStaleness(alias: 0, old)
        board.markDown(alias: 1, because: refused)
        #expect(order(0) == [])
        let nobody = board.table.selection(ofRoute: 0)
        #expect(nobody.reason == .nothingUp)
        #expect(nobody.passed.map(\.reason) == [.stale(old), .down(refused)])
        #expect(order(1) == [0])
        let selection = RouteSelection(alias: 0, reason: .failover, passed: [.init(alias: 1, reason: .down(refused))])
        #expect(board.table.selection(ofRoute: 1) == selection)
    }

    @Test func whoSwitchesToAStaleOneGetsIt() {
        board.setStaleness(alias: 0, old)
        board.pin(route: 0, to: 0)
        #expect(order(0) == [0, 1])
        #expect(board.table.selection(ofRoute: 0).reason == .pinned)
    }

    @Test func downIsWorseThanStale() {
        board.setStaleness(alias: 0, old)
        board.markDown(alias: 0, because: refused)
        #expect(order(1) == [1])
        #expect(board.table.selection(ofRoute: 1).passed == [.init(alias: 0, reason: .down(refused))])
        board.markUp(alias: 0)
        #expect(order(1) == [1, 0])
    }

    @Test func stalenessIsToldInWords() {
        #expect("\(old)" == "12s behind: replay is paused")
        #expect("\(Staleness(behind: nil, stopped: "cut off"))" == "lag unknown: cut off")
        #expect("\(Staleness(behind: .milliseconds(12_300)))" == "12.3s behind")
    }
}
