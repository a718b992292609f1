import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Aliases that are dialed when none is up")
struct OutagesTests {
    private let refused = PingFailure(.refused, "down")
    private static let second: UInt64 = 1_000_000_000

    private let board = RouteBoard(
        RouteTable(
            aliases: ["a", "b", "c"].map { AliasState(name: $0, endpoint: .tcp(host: $0, port: 1)) },
            routes: [Route(name: "slave", aliases: [0, 1, 2])]))

    /// Aliases go down in this order, `apart` seconds apart.
    private func outages(_ order: [Int], apart: UInt64 = 5) -> Outages {
        var outages = Outages(board.table, now: 0)
        for (index, alias) in order.enumerated() {
            board.markDown(alias: alias, because: refused)
            outages.follow(board.table, after: board.table, now: UInt64(index) * apart * Self.second)
        }
        return outages
    }

    private func lastResort(_ outages: Outages, at seconds: UInt64) -> [Int] {
        outages.lastResort(ofRoute: 0, in: board.table, now: seconds * Self.second).map(\.alias)
    }

    @Test func whoWasUpLastComesFirst() {
        let outages = outages([0, 2, 1])
        #expect(lastResort(outages, at: 100) == [1, 2, 0])
    }

    @Test func whatFellTogetherComesInTheRoutesOrder() {
        let outages = outages([2, 1, 0], apart: 0)
        #expect(lastResort(outages, at: 100) == [0, 1, 2])
    }

    @Test func aFreshVerdictIsBelieved() {
        let outages = outages([0, 1])
        #expect(lastResort(outages, at: 1) == [])
        #expect(lastResort(outages, at: 6) == [0])
        #expect(lastResort(outages, at: 7) == [1, 0])
    }

    @Test func anotherFailureOfTheSameOutageMakesItNoYounger() {
        var outages = outages([0, 1])
        board.markDown(alias: 0, because: PingFailure(.timeout(.login), "down"))
        outages.follow(board.table, after: board.table, now: 50 * Self.second)
        #expect(lastResort(outages, at: 100) == [1, 0])
    }

    @Test func whoIsBackAndFallsAgainIsYounger() {
        var outages = outages([0, 1])
        board.markUp(alias: 0)
        outages.follow(board.table, after: board.table, now: 50 * Self.second)
        #expect(lastResort(outages, at: 60) == [1])
        board.markDown(alias: 0, because: refused)
        outages.follow(board.table, after: board.table, now: 70 * Self.second)
        #expect(lastResort(outages, at: 100) == [0, 1])
    }

    @Test func whoMustNotServeIsLeftOut() {
        var outages = outages([0, 1, 2])
        board.setDraining(alias: 0, true)
        board.setDrilled(alias: 1, true)
        board.setMustNotServe(alias: 2, true)
        outages.follow(board.table, after: board.table, now: 50 * Self.second)
        #expect(lastResort(outages, at: 100) == [])
        board.setMustNotServe(alias: 2, false)
        #expect(lastResort(outages, at: 100) == [2])
        board.markDown(alias: 2, because: PingFailure(.wrongRole, "a primary"))
        #expect(lastResort(outages, at: 100) == [])
    }
}
