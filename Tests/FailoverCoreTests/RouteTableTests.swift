import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@Suite("Which alias serves a new session")
struct RouteTableTests {
    let refused = PingFailure(.refused, "connection refused")
    let board = RouteBoard(
        RouteTable(
            aliases: ["slave", "default", "spare"].map {
                AliasState(
                    name: $0, endpoint: .tcp(host: $0, port: 5432),
                    addresses: [SocketAddress(bytes: Array($0.utf8), description: $0)])
            },
            routes: [Route(name: "slave", aliases: [0, 1, 2]), Route(name: "other", aliases: [2])]))

    /// The second alias serves instead of the first.
    private func failover(to alias: Int, _ reason: RouteSelection.Passed.Reason) -> RouteSelection {
        RouteSelection(alias: alias, reason: .failover, passed: [.init(alias: 0, reason: reason)])
    }

    private var order: [Int] { board.table.candidates(ofRoute: 0).map(\.alias) }

    @Test func theOwnAliasServesWhileItIsUp() {
        #expect(order == [0, 1, 2])
        #expect(board.table.selection(ofRoute: 0) == RouteSelection(alias: 0, reason: .preferred))
    }

    @Test func aRouteIsClosedWhileAnyServiceKeepsItClosed() {
        let celery = RouteTable.Closure(service: "celery", message: "no broker")
        let cache = RouteTable.Closure(service: "cache", message: "no cache")
        board.replaceClosures([(0, celery), (0, cache)])
        #expect(board.table.closure(ofRoute: 0) == celery)
        #expect(board.table.closure(ofRoute: 1) == nil)
        board.replaceClosures([(0, cache)])
        #expect(board.table.closure(ofRoute: 0) == cache)
        board.replaceClosures([])
        #expect(board.table.closure(ofRoute: 0) == nil)
        #expect(board.table.selection(ofRoute: 0) == RouteSelection(alias: 0, reason: .preferred))
    }

    @Test func anOutageMovesTheRouteToTheNextAliasThatIsUp() {
        board.markDown(alias: 0, because: refused)
        #expect(order == [1, 2])
        #expect(
            board.table.selection(ofRoute: 0) == failover(to: 1, .down(refused)))
        board.markDown(alias: 1, because: refused)
        #expect(order == [2])
    }

    @Test func aRecoveryMovesTheRouteBack() {
        board.markDown(alias: 0, because: refused)
        board.markUp(alias: 0)
        #expect(board.table.selection(ofRoute: 0) == RouteSelection(alias: 0, reason: .preferred))
    }

    @Test func aSuspectAliasIsTriedLast() {
        board.setSuspect(alias: 0, true)
        #expect(order == [1, 2, 0])
        #expect(board.table.selection(ofRoute: 0) == failover(to: 1, .suspect))
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
        let passed = (0..<3).map { RouteSelection.Passed(alias: $0, reason: .down(refused)) }
        #expect(board.table.selection(ofRoute: 0) == RouteSelection(alias: nil, reason: .nothingUp, passed: passed))
    }

    @Test func anAliasThatIsDownIsNotSuspect() {
        board.setSuspect(alias: 0, true)
        board.markDown(alias: 0, because: refused)
        #expect(!board.table.aliases[0].isSuspect)
        #expect(order == [1, 2])
    }

    @Test func aliasesOfOtherRoutesDoNotMatter() {
        board.markDown(alias: 0, because: refused)
        #expect(board.table.selection(ofRoute: 1) == RouteSelection(alias: 2, reason: .preferred))
    }

    @Test func newAddressesReachTheCandidates() {
        let moved = SocketAddress(bytes: [1], description: "10.0.0.9:5432")
        board.setAddresses(alias: 0, [moved])
        #expect(board.table.candidates(ofRoute: 0)[0].addresses == [moved])
    }

    @Test func followersGetThePresentTableAndEachChangeOnce() {
        let seen = Lock<[RouteSelection]>([])
        board.follow { table in seen.withLock { $0.append(table.selection(ofRoute: 0)) } }
        board.markDown(alias: 0, because: refused)
        board.markDown(alias: 0, because: refused)
        board.markUp(alias: 0)
        #expect(
            seen.withLock { $0 } == [
                RouteSelection(alias: 0, reason: .preferred), failover(to: 1, .down(refused)),
                RouteSelection(alias: 0, reason: .preferred),
            ])
    }

    @Test func aPinnedAliasComesFirstAndTheOthersBehindItAsConfigured() {
        board.pin(route: 0, to: 1)
        #expect(order == [1, 0, 2])
        #expect(board.table.selection(ofRoute: 0) == RouteSelection(alias: 1, reason: .pinned))
        board.markDown(alias: 1, because: refused)
        #expect(order == [0, 2])
        #expect(
            board.table.selection(ofRoute: 0)
                == RouteSelection(alias: 0, reason: .failover, passed: [.init(alias: 1, reason: .down(refused))]))
        board.markUp(alias: 1)
        #expect(order == [1, 0, 2])
        board.pin(route: 0, to: nil)
        #expect(order == [0, 1, 2])
        #expect(board.table.selection(ofRoute: 0) == RouteSelection(alias: 0, reason: .preferred))
    }

    @Test func aPinnedAliasThatIsSuspectIsTriedLastAllTheSame() {
        board.pin(route: 0, to: 1)
        board.setSuspect(alias: 1, true)
        #expect(order == [0, 2, 1])
    }

    @Test func aDrainedAliasServesNobodyEvenWhenNothingElseIsUp() {
        board.setDraining(alias: 0, true)
        #expect(order == [1, 2])
        #expect(board.table.selection(ofRoute: 0) == failover(to: 1, .draining))
        board.markDown(alias: 1, because: refused)
        board.markDown(alias: 2, because: refused)
        #expect(order.isEmpty)
        board.setDraining(alias: 0, false)
        #expect(order == [0])
    }

    @Test func anotherConfigurationKeepsWhatIsKnown() {
        board.markDown(alias: 0, because: refused)
        board.pin(route: 0, to: 1)
        board.setDraining(alias: 2, true)
        board.markDown(alias: 2, because: refused)
        let before = board.table.aliases
        let spare = AliasState(name: "spare", endpoint: before[2].endpoint, isRetired: true)
        let new = AliasState(name: "new", endpoint: .tcp(host: "new", port: 5432))
        board.change(
            aliases: [AliasState(name: "slave", endpoint: before[0].endpoint), before[1], spare, new],
            routes: [
                Route(name: "slave", aliases: [0, 3, 1]), Route(name: "other", aliases: [2], isRetired: true),
                Route(name: "third", aliases: [3]),
            ])
        #expect(order == [1, 3])
        #expect(board.table.pin(ofRoute: 0) == 1)
        #expect(board.table.aliases[0].addresses == before[0].addresses)
        #expect(board.table.candidates(ofRoute: 1).isEmpty)
        #expect(board.table.selection(ofRoute: 2) == RouteSelection(alias: 3, reason: .preferred))
        board.change(aliases: before + [new], routes: board.table.routes)
        // The alias is back, no longer drained, and has a new monitor.
        #expect(board.table.candidates(ofRoute: 1).map(\.alias) == [2])
    }

    @Test func aPinOnAnAliasThatTheRouteNoLongerHasEnds() {
        board.pin(route: 0, to: 1)
        board.change(
            aliases: board.table.aliases, routes: [Route(name: "slave", aliases: [0, 2]), board.table.routes[1]])
        #expect(board.table.pin(ofRoute: 0) == nil)
        #expect(order == [0, 2])
    }

    @Test func pinsOfOtherRoutesAreNoneOfARoutesBusiness() {
        board.pin(route: 1, to: 2)
        #expect(order == [0, 1, 2])
        #expect(board.table.pin(ofRoute: 0) == nil)
        #expect(board.table.pin(ofRoute: 1) == 2)
    }
}
