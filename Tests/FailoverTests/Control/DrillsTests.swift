import FailoverCore
import FailoverProxy
import FailoverTesting
import Logging
import Testing

@testable import Failover

@Suite("Drills that end by themselves", .timeLimit(.minutes(5)))
final class DrillsTests: Sendable {
    private let clock = ManualClock()
    private let control: ControlPlane
    private let ends = Lock<[String]>([])
    private let refused = PingFailure(.refused, "nobody listens")

    init() {
        control = ControlPlane(
            RouteTable(
                aliases: ["slave", "default", "spare"].map {
                    AliasState(name: $0, endpoint: .tcp(host: $0, port: 5432))
                },
                routes: [Route(name: "slave", aliases: [0, 1]), Route(name: "reports", aliases: [1, 2])]),
            services: [], environment: .manual(clock, time: WallTime(sinceEpoch: .seconds(100))))
        control.onEnding { [weak self] ending in
            guard case .drill(_, _, let reason) = ending else { return }
            self?.ends.withLock { $0.append(reason) }
        }
    }

    private func begin(_ alias: Int, route: Int = 0, seconds: Int = 30, isForced: Bool = false) -> Bool {
        control.drill(alias: alias, onRoute: route, for: .seconds(seconds), isForced: isForced)
    }

    private func goesDown(_ alias: Int) {
        control.outage(refused, of: ControlState.Unit(services: [], member: "x", alias: alias))
    }

    private var isDrilled: Bool { control.table.aliases[0].isDrilled }

    /// Waits until the drill has ended by itself.
    private func isOver(because reason: String) async -> Bool {
        await eventually { !isDrilled && ends.withLock { $0 } == [reason] }
    }

    @Test func whenTheTimeHasPassed() async {
        #expect(begin(0))
        #expect(control.state.drillEnd(ofAlias: 0) == WallTime(sinceEpoch: .seconds(130)))
        #expect(await eventually { clock.wakes == [.seconds(30)] })
        clock.advance(by: .milliseconds(29_999))
        #expect(isDrilled)
        clock.advance(by: .milliseconds(1))
        #expect(await isOver(because: "its time has passed"))
        #expect(control.state.drillEnd(ofAlias: 0) == nil)
    }

    @Test func whenAnOperatorEndsThemAndNoLaterOneEndsWithTheFormersTime() async {
        #expect(begin(0))
        #expect(await eventually { clock.wakes == [.seconds(30)] })
        #expect(!control.endDrill(onRoute: 1, because: "x"))
        #expect(control.endDrill(onRoute: 0, because: "an operator has ended it"))
        #expect(await isOver(because: "an operator has ended it"))
        #expect(!control.endDrill(onRoute: 0, because: "x"))
        #expect(begin(0, seconds: 60))
        #expect(await eventually { clock.wakes == [.seconds(60)] })
        clock.advance(by: .seconds(59))
        #expect(isDrilled)
    }

    @Test func oneAtATimeOnARoute() {
        #expect(begin(0))
        #expect(!begin(0))
        #expect(!begin(1))
        // This alias also belongs to the other route.
        #expect(!begin(0, route: 1))
        #expect(begin(2, route: 1))
        #expect(control.endDrill(onRoute: 0, because: "x"))
        #expect(!begin(1))
        #expect(control.endDrill(onRoute: 1, because: "x"))
        #expect(begin(1))
    }

    @Test func whenNobodyElseCouldServeAnyMore() async {
        #expect(begin(0))
        goesDown(1)
        #expect(await isOver(because: "no other alias can serve now"))
    }

    @Test func unlessTheyAreForced() async {
        #expect(begin(0, isForced: true))
        goesDown(1)
        #expect(await eventually { clock.wakes == [.seconds(30)] })
        clock.advance(by: .seconds(30))
        #expect(await isOver(because: "its time has passed"))
    }

    @Test func theEndOfOneLeavesATrueOutageAsItIs() async {
        #expect(begin(0))
        goesDown(0)
        #expect(control.endDrill(onRoute: 0, because: "x"))
        #expect(control.table.aliases[0].failure == refused)
        #expect(control.table.candidates(ofRoute: 0).map(\.alias) == [1])
    }

    @Test func whenTheConfigurationHasTheAliasNoLonger() async {
        #expect(begin(0))
        let states = control.table.aliases.enumerated().map { index, alias in
            AliasState(name: alias.name, endpoint: alias.endpoint, isRetired: index == 0)
        }
        control.reconfigure(aliases: states, routes: [Route(name: "slave", aliases: [1]), control.table.routes[1]])
        #expect(await isOver(because: "the configuration has changed"))
    }

    @Test func whenTheRouteHasTheAliasNoLonger() async {
        #expect(begin(0))
        control.reconfigure(
            aliases: control.table.aliases, routes: [Route(name: "slave", aliases: [1]), control.table.routes[1]])
        #expect(await isOver(because: "the configuration has changed"))
    }

    @Test func allAtOnceWhenAnotherProcessTakesOver() async {
        #expect(begin(0))
        control.endDrills(because: "another process takes over")
        #expect(await isOver(because: "another process takes over"))
    }
}
