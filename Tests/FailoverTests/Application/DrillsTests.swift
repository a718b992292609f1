import FailoverCore
import FailoverTesting
import Logging
import Testing

@testable import Failover

@Suite("Drills that end by themselves", .timeLimit(.minutes(5)))
final class DrillsTests: Sendable {
    private let clock = ManualClock()
    private let board = RouteBoard(
        RouteTable(
            aliases: ["slave", "default", "spare"].map {
                AliasState(name: $0, endpoint: .tcp(host: $0, port: 5432))
            },
            routes: [Route(name: "slave", aliases: [0, 1]), Route(name: "reports", aliases: [1, 2])]))
    private let drills: Drills
    private let ends = Lock<[String]>([])
    private let refused = PingFailure(.refused, "nobody listens")

    init() {
        drills = Drills(
            board: board,
            environment: MonitorEnvironment(
                clock: MonotonicClock(clock), processClock: MonotonicClock(ManualClock()),
                timeOfDay: { WallTime(sinceEpoch: .seconds(100)) },
                log: CapturedLog().logger, host: "h", processID: 1))
    }

    private func begin(_ alias: Int, route: Int = 0, seconds: Int = 30, isForced: Bool = false) -> Bool {
        drills.begin(alias, onRoute: route, for: .seconds(seconds), isForced: isForced) { reason in
            self.ends.withLock { $0.append(reason) }
        }
    }

    private var isDrilled: Bool { board.table.aliases[0].isDrilled }

    /// Waits for the end, which comes by itself.
    private func isOver(because reason: String) async -> Bool {
        await eventually { !isDrilled && ends.withLock { $0 } == [reason] }
    }

    @Test func whenTheTimeHasPassed() async {
        #expect(begin(0))
        #expect(drills.until(alias: 0) == WallTime(sinceEpoch: .seconds(130)))
        #expect(await eventually { clock.wakes == [.seconds(30)] })
        clock.advance(by: .milliseconds(29_999))
        #expect(isDrilled)
        clock.advance(by: .milliseconds(1))
        #expect(await isOver(because: "its time has passed"))
        #expect(drills.until(alias: 0) == nil)
    }

    @Test func whenAnOperatorEndsThemAndNoLaterOneEndsWithTheFormersTime() async {
        #expect(begin(0))
        #expect(await eventually { clock.wakes == [.seconds(30)] })
        #expect(!drills.end(route: 1, because: "x"))
        #expect(drills.end(route: 0, because: "an operator has ended it"))
        #expect(await isOver(because: "an operator has ended it"))
        #expect(!drills.end(route: 0, because: "x"))
        #expect(begin(0, seconds: 60))
        #expect(await eventually { clock.wakes == [.seconds(60)] })
        clock.advance(by: .seconds(59))
        #expect(isDrilled)
    }

    @Test func oneAtATimeOnARoute() {
        #expect(begin(0))
        #expect(!begin(0))
        #expect(!begin(1))
        // An alias of the other route that this one has too.
        #expect(!begin(0, route: 1))
        #expect(begin(2, route: 1))
        #expect(drills.end(route: 0, because: "x"))
        #expect(!begin(1))
        #expect(drills.end(route: 1, because: "x"))
        #expect(begin(1))
    }

    @Test func whenNobodyElseCouldServeAnyMore() async {
        #expect(begin(0))
        board.markDown(alias: 1, because: refused)
        #expect(await isOver(because: "nobody else could serve any more"))
    }

    @Test func unlessTheyAreForced() async {
        #expect(begin(0, isForced: true))
        board.markDown(alias: 1, because: refused)
        #expect(await eventually { clock.wakes == [.seconds(30)] })
        clock.advance(by: .seconds(30))
        #expect(await isOver(because: "its time has passed"))
    }

    @Test func theEndOfOneLeavesATrueOutageAsItIs() async {
        #expect(begin(0))
        board.markDown(alias: 0, because: refused)
        #expect(drills.end(route: 0, because: "x"))
        #expect(board.table.aliases[0].failure == refused)
        #expect(board.table.candidates(ofRoute: 0).map(\.alias) == [1])
    }

    @Test func whenTheConfigurationHasTheAliasNoLonger() async {
        #expect(begin(0))
        let states = board.table.aliases.enumerated().map { index, alias in
            AliasState(name: alias.name, endpoint: alias.endpoint, isRetired: index == 0)
        }
        board.change(aliases: states, routes: [Route(name: "slave", aliases: [1]), board.table.routes[1]])
        #expect(await isOver(because: "the configuration has changed"))
    }

    @Test func whenTheRouteHasTheAliasNoLonger() async {
        #expect(begin(0))
        board.change(
            aliases: board.table.aliases, routes: [Route(name: "slave", aliases: [1]), board.table.routes[1]])
        #expect(await isOver(because: "the configuration has changed"))
    }

    @Test func allAtOnceWhenAnotherProcessTakesOver() async {
        #expect(begin(0))
        drills.endAll(because: "another process takes over")
        #expect(await isOver(because: "another process takes over"))
    }
}
