import FailoverAdmin
import FailoverConfiguration
import FailoverCore
import Testing

@testable import FailoverCommand

@Suite("What a drill shows, and whether it has passed")
struct DrillOutcomeTests {
    private static let until = "2026-11-25T12:00:00.000Z"
    private static let before = route()

    private static func route(
        on slave: Int = 3, default other: Int = 0, served: (slave: Int, other: Int) = (10, 0), drill: Bool = false,
        current: String? = nil, state: String = "up", refused: Int = 1, moved: Int = 0
    ) -> RouteDocument {
        let current = current ?? (drill ? "default" : "slave")
        return RouteDocument(
            name: "slave", engine: "postgres", listen: [], currentAlias: current,
            why: .preferred, reason: nil, pinned: nil, closed: nil,
            aliases: [
                .init(
                    name: "slave", address: "", state: state, suspect: false, draining: false,
                    drill: drill ? until : nil, serving: current == "slave", sessions: slave, served: served.slave),
                .init(
                    name: "default", address: "", state: "up", suspect: false, draining: false,
                    serving: current == "default",
                    sessions: other,
                    served: served.other),
            ], sessions: .init(open: slave + other, total: 10, refused: refused, retried: 0, moved: moved),
            newSessions: [])
    }

    /// A drill of ten seconds, seen at these times in milliseconds.
    private func outcome(
        _ looks: [Look], settings: String = "", before: RouteDocument = before
    ) throws -> DrillOutcome {
        var watch = DrillWatch(alias: "slave", before: before)
        for (time, route) in looks { watch.saw(route, at: .milliseconds(time)) }
        let configuration = try Configuration.parse(
            """
            databases:
              default: {engine: postgres, host: a, user: u}
              slave: {engine: postgres, host: b, user: u}
            services: {slave: {type: database, listen: "127.0.0.1:1"\(settings)}}
            """, fileName: "drill.yaml", environment: [:])
        return DrillOutcome(
            watch: watch, duration: .seconds(10), expectation: DrillExpectation(route: "slave", of: configuration))
    }

    private typealias Look = (Int, RouteDocument)
    private let moved: [Look] = [
        (100, route(on: 2, default: 1, served: (10, 1), drill: true)),
        (200, route(on: 0, default: 3, served: (10, 3), drill: true)),
        (9900, route(on: 0, default: 4, served: (10, 7), drill: true)),
    ]
    private let back: [Look] = [
        (10100, route(on: 0, default: 4, served: (10, 7))), (10400, route(on: 1, default: 3, served: (11, 7))),
        (12900, route(on: 4, default: 0, served: (14, 7), moved: 4)),
    ]

    @Test func sessionsLeaveAndComeBack() throws {
        let outcome = try outcome(moved + back)
        #expect(outcome.problems == [])
        #expect(outcome.hasPassed)
        let watch = outcome.watch
        #expect(watch.openBefore == (3, 3))
        #expect(watch.left == .milliseconds(200))
        #expect(watch.over == .milliseconds(10_100))
        // Relative to the last time that the drill was seen.
        #expect(watch.firstBack == .milliseconds(500))
        #expect(watch.allBack == .seconds(3))
        #expect(watch.newSessions.map(\.alias) == ["slave", "default"])
        #expect(watch.newSessions.map(\.count) == [0, 6])
        #expect(watch.moved == 4)
        #expect(watch.changes == [.zero...(.milliseconds(100)), .milliseconds(9900)...(.milliseconds(10_100))])
    }

    /// The session had chosen the other alias before the drill ended.
    @Test func aSessionThatArrivesElsewhereAfterTheOthersHaveLeftIsWaitedFor() throws {
        let late: [Look] = [
            (10100, Self.route(on: 0, served: (10, 7))), (10200, Self.route(on: 1, default: 1, served: (11, 8))),
        ]
        let waiting = try outcome(moved + late)
        #expect(waiting.watch.allBack == nil)
        #expect(waiting.problems == ["1 session is not back on slave"])
        let done = try outcome(moved + late + [(10400, Self.route(on: 1, served: (12, 8)))])
        #expect(done.watch.firstBack == .milliseconds(300))
        #expect(done.watch.allBack == .milliseconds(500))
        #expect(done.problems == [])
    }

    /// A route of two replicas, with this number of sessions on each of them and on the primary.
    private static func pair(_ sessions: [Int], served: [Int], drill: Bool = false) -> RouteDocument {
        RouteDocument(
            name: "slave", engine: "postgres", listen: [], currentAlias: drill ? "second" : "slave", why: .preferred,
            reason: nil, pinned: nil, closed: nil,
            aliases: ["slave", "second", "default"].enumerated().map { index, name in
                .init(
                    name: name, address: "", state: "up", suspect: false, draining: false,
                    drill: drill && index == 0 ? until : nil, serving: index == 1 || (index == 0 && !drill),
                    sessions: sessions[index], served: served[index])
            }, sessions: .init(open: sessions.reduce(0, +), total: 10, refused: 0, retried: 0, moved: 0),
            newSessions: [])
    }

    @Test func sessionsMayStayOnAnotherReplica() throws {
        let looks: [Look] = [
            (100, Self.pair([0, 4, 0], served: [2, 4, 0], drill: true)),
            (9900, Self.pair([0, 5, 0], served: [2, 5, 0], drill: true)),
            (10100, Self.pair([1, 5, 0], served: [3, 5, 0])),
        ]
        let before = Self.pair([2, 2, 0], served: [2, 2, 0])
        let outcome = try outcome(looks, before: before)
        #expect(outcome.problems == [])
        #expect(outcome.watch.allBack == .milliseconds(200))
        // Sessions on the primary do not count as back.
        let elsewhere = try self.outcome(
            looks + [(90000, Self.pair([1, 4, 1], served: [3, 5, 1]))], before: before)
        #expect(elsewhere.watch.notBack == 1)
    }

    @Test func theOneThatIsDrilledNeedNotBeTheFirst() throws {
        var before = Self.pair([2, 2, 0], served: [2, 2, 0])
        before.aliases.swapAt(0, 1)
        before.currentAlias = "second"
        var watch = DrillWatch(alias: "slave", before: before)
        watch.saw(Self.pair([0, 4, 0], served: [2, 4, 0], drill: true), at: .milliseconds(100))
        #expect(!watch.isServing)
        var after = Self.pair([1, 4, 0], served: [3, 4, 0])
        after.currentAlias = "second"
        watch.saw(after, at: .milliseconds(9900))
        #expect(watch.expectsReturn && watch.isServing)
        #expect(watch.allBack == .milliseconds(9800))
    }

    @Test func whoIsRefusedFailsIt() throws {
        let last: Look = (13000, Self.route(on: 4, refused: 2))
        #expect(try outcome(moved + back + [last]).problems == ["1 client was refused"])
    }

    @Test func probesThatFailFailIt() throws {
        var outcome = try outcome(moved + back)
        outcome.probes = ProbeSummary(count: 3)
        outcome.probes?.cut = 1
        #expect(outcome.hasPassed)
        outcome.probes?.errors = ["refused": 2]
        #expect(outcome.problems == ["2 probes failed"])
    }

    @Test func whoIsNotBackFailsItUnlessSessionsAreToStay() throws {
        let looks = moved + back.dropLast()
        var outcome = try outcome(looks)
        outcome.whyNotBack = "3 encrypted"
        #expect(outcome.problems == ["3 sessions are not back on slave: 3 encrypted"])
        #expect(try self.outcome(looks, settings: ", on_recovery: keep").problems == [])
    }

    @Test func whoStaysOnTheAliasFailsItUnlessSessionsAreToStay() throws {
        let looks: [Look] = [
            (100, Self.route(on: 3, drill: true)), (9900, Self.route(on: 2, drill: true)), (10100, Self.before),
        ]
        #expect(try outcome(looks).problems == ["2 sessions stayed on slave"])
        #expect(try outcome(looks, settings: ", on_outage: keep").problems == [])
    }

    @Test func anEarlyEndFailsIt() throws {
        #expect(
            try outcome([moved[0], moved[1], (5000, Self.before)]).problems == ["the drill ended early, after 5s"])
    }

    @Test func aTrueOutageFailsIt() throws {
        let down: Look = (10100, Self.route(on: 0, default: 4, current: "default", state: "down"))
        #expect(try outcome(moved + [down]).problems == ["slave is down"])
    }

    @Test func anAliasThatDoesNotServeAgainFailsIt() throws {
        let other: Look = (10100, Self.route(on: 0, default: 4, current: "default"))
        #expect(try outcome(moved + [other]).problems == ["slave does not serve again"])
        // If it did not serve before, that is no failure.
        let before = Self.route(on: 0, default: 4, current: "default")
        #expect(try outcome(moved + [other], before: before).problems == [])
    }

    @Test func aBreakOffFailsItAndIsTheOnlyWordOfItsEarlyEnd() throws {
        var outcome = try outcome([moved[0], moved[1], (5000, Self.before)])
        outcome.breakOff = "interrupted by SIGINT"
        #expect(outcome.problems == ["interrupted by SIGINT"])
    }

    @Test func whySessionsStayElsewhere() {
        func session(_ alias: String?, _ boundary: SessionBoundary) -> SessionDocument {
            SessionDocument(
                id: 1, route: "slave", alias: alias, client: "", age: .zero, idle: .zero, bytesFromClient: 0,
                bytesFromBackend: 0, boundary: boundary)
        }
        let sessions = [
            session("slave", .yes), session(nil, .unknown), session("default", .unknown),
            session("default", .unknown), session("default", .no), session("default", .attested),
        ]
        #expect(
            sessions.reasonsToStay(elsewhereThan: ["slave"])
                == "2 encrypted (not known to be outside a transaction), 1 in a transaction or with other open state, "
                + "1 about to move"
        )
        #expect(sessions.reasonsToStay(elsewhereThan: ["slave", "default"]) == nil)
    }
}
