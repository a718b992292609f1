import FailoverCore
import Testing

@Suite("Which alias serves a new session")
struct RouteTableTests {
    let refused = PingFailure(.refused, "nobody listens")
    let board = RouteBoard(
        RouteTable(
            aliases: ["slave", "default", "spare"].map {
                AliasState(
                    name: $0, endpoint: .tcp(host: $0, port: 5432),
                    addresses: [SocketAddress(bytes: Array($0.utf8), description: $0)])
            },
            routes: [Route(name: "slave", aliases: [0, 1, 2]), Route(name: "other", aliases: [2])]))

    private var order: [Int] { board.table.candidates(ofRoute: 0).map(\.alias) }

    @Test func theOwnAliasServesWhileItIsUp() {
        #expect(order == [0, 1, 2])
        #expect(board.table.selection(ofRoute: 0) == .preferred(alias: 0))
    }

    @Test func aRouteIsClosedWhileAnyServiceKeepsItClosed() {
        let celery = RouteTable.Closure(service: "celery", message: "no broker")
        let cache = RouteTable.Closure(service: "cache", message: "no cache")
        board.close(route: 0, celery)
        board.close(route: 0, cache)
        #expect(board.table.closure(ofRoute: 0) == celery)
        #expect(board.table.closure(ofRoute: 1) == nil)
        board.reopen(route: 0, after: "celery")
        #expect(board.table.closure(ofRoute: 0) == cache)
        board.reopen(route: 0, after: "celery")
        board.reopen(route: 0, after: "cache")
        #expect(board.table.closure(ofRoute: 0) == nil)
        #expect(board.table.selection(ofRoute: 0) == .preferred(alias: 0))
    }

    @Test func anOutageMovesTheRouteToTheNextAliasThatIsUp() {
        board.markDown(alias: 0, because: refused)
        #expect(order == [1, 2])
        #expect(
            board.table.selection(ofRoute: 0) == .failover(alias: 1, instead: [.init(alias: 0, outage: refused)]))
        board.markDown(alias: 1, because: refused)
        #expect(order == [2])
    }

    @Test func aRecoveryMovesTheRouteBack() {
        board.markDown(alias: 0, because: refused)
        board.markUp(alias: 0)
        #expect(board.table.selection(ofRoute: 0) == .preferred(alias: 0))
    }

    @Test func aSuspectAliasIsTriedLast() {
        board.setSuspect(alias: 0, true)
        #expect(order == [1, 2, 0])
        #expect(board.table.selection(ofRoute: 0) == .failover(alias: 1, instead: [.init(alias: 0, outage: nil)]))
        board.setSuspect(alias: 0, false)
        #expect(order == [0, 1, 2])
    }

    @Test func aSuspectAliasStillServesWhenNoOtherIsUp() {
        board.setSuspect(alias: 0, true)
        board.markDown(alias: 1, because: refused)
        board.markDown(alias: 2, because: refused)
        #expect(order == [0])
    }

    @Test func whenNothingIsUpEachAliasHasItsReason() {
        for alias in 0..<3 { board.markDown(alias: alias, because: refused) }
        #expect(order.isEmpty)
        let passed = (0..<3).map { RouteTable.Selection.Passed(alias: $0, outage: refused) }
        #expect(board.table.selection(ofRoute: 0) == .none(passed))
    }

    @Test func anOutageEndsSuspicion() {
        board.setSuspect(alias: 0, true)
        board.markDown(alias: 0, because: refused)
        board.markUp(alias: 0)
        #expect(order == [0, 1, 2])
    }

    @Test func aliasesOfOtherRoutesDoNotMatter() {
        board.markDown(alias: 0, because: refused)
        #expect(board.table.selection(ofRoute: 1) == .preferred(alias: 2))
    }

    @Test func newAddressesReachTheCandidates() {
        let moved = SocketAddress(bytes: [1], description: "10.0.0.9:5432")
        board.setAddresses(alias: 0, [moved])
        #expect(board.table.candidates(ofRoute: 0)[0].addresses == [moved])
    }

    @Test func followersGetThePresentTableAndEachChangeOnce() {
        let seen = Lock<[RouteTable.Selection]>([])
        board.follow { table in seen.withLock { $0.append(table.selection(ofRoute: 0)) } }
        board.markDown(alias: 0, because: refused)
        board.markDown(alias: 0, because: refused)
        board.markUp(alias: 0)
        #expect(
            seen.withLock { $0 } == [
                .preferred(alias: 0), .failover(alias: 1, instead: [.init(alias: 0, outage: refused)]),
                .preferred(alias: 0),
            ])
    }
}
