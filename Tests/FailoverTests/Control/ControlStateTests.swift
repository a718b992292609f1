import FailoverConfiguration
import FailoverCore
import FailoverNotify
import FailoverSystem
import FailoverTesting
import Testing

@testable import Failover

@Suite("One place where routes change", .timeLimit(.minutes(5)))
final class ControlStateTests: Sendable {
    private let clock = ManualClock()
    private let refused = PingFailure(.refused, "nobody listens")
    private let control: ControlPlane
    private let tables = Lock<[RouteTable]>([])
    private let endings = Lock<[ControlState.Ending]>([])
    private let slave = ControlState.Unit(services: ["slave"], member: "slave", alias: 0)
    private let broker = ControlState.Unit(services: ["celery"], member: "celery")

    init() {
        let services = [
            ServiceConfiguration(
                name: "slave", kind: .watched(.tcp(.tcp(host: "x", port: 1)), MonitorSettings()),
                failoverSettings: ["READ": "slow"]),
            ServiceConfiguration(
                name: "celery", kind: .watched(.tcp(.tcp(host: "x", port: 1)), MonitorSettings()),
                closure: RouteClosure(routes: ["slave"], message: "closed")),
        ]
        control = ControlPlane(
            RouteTable(
                aliases: ["slave", "default"].map { AliasState(name: $0, endpoint: .tcp(host: $0, port: 5432)) },
                routes: [Route(name: "slave", aliases: [0, 1])]),
            services: services, environment: .manual(clock, time: WallTime(sinceEpoch: .seconds(100))))
        control.follow { [weak self] table in self?.tables.withLock { $0.append(table) } }
        control.onEnding { [weak self] ending in self?.endings.withLock { $0.append(ending) } }
    }

    private var serving: Int? { control.table.selection(ofRoute: 0).alias }

    @Test func anOutageMovesTheRouteAndPublishesSettingsInOneStep() {
        control.outage(refused, of: slave)
        #expect(tables.withLock { $0.count } == 2)
        #expect(serving == 1)
        #expect(control.settings.published.merged == ["READ": "slow"])
        #expect(control.settings.version == 1)
        #expect(control.state.failovers == [1])
        control.recovery(of: slave)
        #expect(serving == 0)
        #expect(control.settings.published.merged.isEmpty)
        #expect(control.settings.version == 2)
        #expect(control.state.failovers == [1])
    }

    @Test func anOutageClosesOtherRoutesUntilItIsOver() {
        control.outage(refused, of: broker)
        #expect(control.table.closure(ofRoute: 0) == RouteTable.Closure(service: "celery", message: "closed"))
        #expect(serving == 0)
        control.recovery(of: broker)
        #expect(control.table.closure(ofRoute: 0) == nil)
    }

    @Test func whatChangesNothingIsNotTold() {
        control.note(AliasFacts(), ofAlias: 0)
        control.recovery(of: slave)
        control.drain(alias: 0, false)
        #expect(tables.withLock { $0.count } == 1)
    }

    @Test func aSwitchEndsWithItsTime() async {
        control.pin(route: 0, to: 1, for: .seconds(30))
        #expect(serving == 1)
        #expect(control.state.pinEnd(ofRoute: 0) == WallTime(sinceEpoch: .seconds(130)))
        #expect(await eventually { clock.wakes == [.seconds(30)] })
        clock.advance(by: .seconds(30))
        #expect(await eventually { endings.withLock { $0 } == [.pin(route: 0)] })
        #expect(serving == 0)
        #expect(!control.release(route: 0))
    }

    @Test func aLaterSwitchTakesTheFormersPlace() async {
        control.pin(route: 0, to: 1, for: .seconds(30))
        control.pin(route: 0, to: 1, for: nil)
        #expect(control.state.pinEnd(ofRoute: 0) == nil)
        #expect(control.state.nextEnd == nil)
        #expect(control.release(route: 0))
        #expect(serving == 0)
        #expect(endings.withLock { $0.isEmpty })
    }

    @Test func aReloadReleasesASwitchWhoseAliasTheRouteHasNoLonger() {
        control.pin(route: 0, to: 1, for: .seconds(30))
        control.reconfigure(aliases: control.table.aliases, routes: [Route(name: "slave", aliases: [0])])
        #expect(serving == 0)
        #expect(control.state.nextEnd == nil)
    }

    @Test func whatIsDownAfterAReloadIsWhatTheMonitorsSay() {
        control.outage(refused, of: broker)
        control.reconfigure(services: [], down: [])
        #expect(control.table.closure(ofRoute: 0) == nil)
        #expect(control.settings.published.merged.isEmpty)
    }
}

@Suite("The settings file and who writes it")
struct SettingsWriterTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func settings(_ version: Int, _ name: String) -> ControlPlane.Settings {
        var published = PublishedSettings(order: ["cache"])
        published.publish([name: "1"], of: "cache")
        return ControlPlane.Settings(version: version, published: published)
    }

    private func text(_ name: String) -> String? { try? SmallFile(path: scratch.path(name), maximumSize: 4096).text }

    @Test func whatIsOlderIsNotWritten() async throws {
        let writer = try SettingsWriter(path: scratch.path("a"))
        try await writer.write(2) { settings(2, "NEW") }
        try await writer.write(1) { settings(1, "OLD") }
        #expect(text("a")?.contains("NEW") == true)
    }

    @Test func anotherPathTakesTheFormersPlace() async throws {
        let writer = try SettingsWriter(path: scratch.path("a"))
        try await writer.write(1) { settings(1, "NEW") }
        try await writer.prepare(path: scratch.path("b"))
        #expect(text("b") == text("a"))
        try await writer.move(to: scratch.path("b"), settings(2, "NEWER"))
        #expect(text("a") == nil)
        #expect(text("b")?.contains("NEWER") == true)
    }

    @Test func aFileThatIsAnotherProcesssIsLeftAlone() async throws {
        let writer = try SettingsWriter(path: scratch.path("a"))
        await writer.leave()
        try await writer.write(1) { settings(1, "NEW") }
        #expect(text("a")?.contains("NEW") == false)
    }

    @Test func aFileThatCannotBeWrittenIsSaid() async throws {
        #expect(throws: OperationError.self) { try SettingsWriter(path: "/nonexistent/settings") }
        let writer = try SettingsWriter(path: nil)
        await #expect(throws: OperationError.self) { try await writer.prepare(path: "/nonexistent/settings") }
    }
}
