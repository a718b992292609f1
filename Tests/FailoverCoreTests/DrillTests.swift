import FailoverCore
import FailoverTesting
import Testing

@Suite("Outage drills")
struct DrillTests {
    let refused = PingFailure(.refused, "connection refused")
    let board = RouteBoard(
        RouteTable(
            aliases: ["slave", "default"].map { AliasState(name: $0, endpoint: .tcp(host: $0, port: 5432)) },
            routes: [Route(name: "slave", aliases: [0, 1]), Route(name: "reports", aliases: [0])]))

    private var order: [Int] { board.table.candidates(ofRoute: 0).map(\.alias) }
    private var reason: RouteSelection.Passed.Reason? { board.table.selection(ofRoute: 0).passed.first?.reason }

    /// Events that may happen to the alias during a drill and around it.
    enum Step: CaseIterable {
        case begin, end, fall, rise
    }

    private func take(_ step: Step) {
        switch step {
        case .begin: board.setDrilled(alias: 0, true)
        case .end: board.setDrilled(alias: 0, false)
        case .fall: board.markDown(alias: 0, because: refused)
        case .rise: board.markUp(alias: 0)
        }
    }

    /// Every sequence of steps of this length.
    private func walks(_ length: Int) -> [[Step]] {
        guard length > 0 else { return [[]] }
        return walks(length - 1).flatMap { walk in Step.allCases.map { walk + [$0] } }
    }

    @Test func countsAsDownAndSaysWhy() {
        board.setDrilled(alias: 0, true)
        #expect(order == [1])
        guard case .down(let failure) = reason else {
            Issue.record("\(reason.map { "\($0)" } ?? "-")")
            return
        }
        #expect("\(failure)" == "drill: an outage drill started by an operator")
        #expect(board.table.aliases[0].outage == nil)
        board.setDrilled(alias: 0, false)
        #expect(order == [0, 1])
    }

    /// In every order of starts and ends, the alias serves only while it is neither drilled nor down. A real outage
    /// is reported in preference to a drill.
    @Test func neitherHidesNorUndoesATrueOutage() {
        for walk in walks(6) {
            take(.end)
            take(.rise)
            for step in walk { take(step) }
            let isDrilled = walk.last { [.begin, .end].contains($0) } == .begin
            let isDown = walk.last { [.fall, .rise].contains($0) } == .fall
            #expect(order == (isDrilled || isDown ? [1] : [0, 1]), "\(walk)")
            #expect(board.table.aliases[0].failure?.reason == (isDown ? .refused : isDrilled ? .drill : nil), "\(walk)")
            #expect((board.table.aliases[0].outage != nil) == isDown, "\(walk)")
        }
    }

    @Test func routesThatItWouldStopAreKnownBeforeAndMeanwhile() {
        #expect(board.table.routesStopped(byDrillOf: 0) == [1])
        #expect(board.table.routesStopped(byDrillOf: 1) == [])
        board.markDown(alias: 1, because: refused)
        #expect(board.table.routesStopped(byDrillOf: 0) == [0, 1])
        board.setDrilled(alias: 0, true)
        #expect(board.table.routesStopped(byDrillOf: 0) == [0, 1])
        // No route has an alias left that could stop serving.
        board.markDown(alias: 0, because: refused)
        #expect(board.table.routesStopped(byDrillOf: 0) == [])
    }

    @Test func outlivesAChangeOfTheConfigurationUnlessTheAliasIsGone() {
        board.setDrilled(alias: 0, true)
        var states = board.table.aliases.map { AliasState(name: $0.name, endpoint: $0.endpoint) }
        board.change(aliases: states, routes: board.table.routes)
        #expect(board.table.aliases[0].isDrilled)
        states[0] = AliasState(name: "slave", endpoint: states[0].endpoint, isRetired: true)
        board.change(aliases: states, routes: board.table.routes)
        #expect(!board.table.aliases[0].isDrilled)
    }
}
