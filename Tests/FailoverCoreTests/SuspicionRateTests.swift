import FailoverCore
import FailoverTesting
import Testing

@Suite("How many sessions it takes to suspect a server")
struct SuspicionRateTests {
    private func reset(_ session: UInt64) -> PingTrigger {
        .observedError(MachineUnderTest.reset(session: session))
    }

    @Test func oneSessionAccusesNoServer() {
        var test = MachineUnderTest()
        test.nextPing()
        for _ in 0..<10 { #expect(test.trigger(reset(1)) == []) }
        #expect(!test.isSuspect)
        // A ping is requested anyway.
        #expect(test.pause == .seconds(5))
    }

    @Test func twoSessionsWithinTheErrorFrequencyDo() {
        var test = MachineUnderTest()
        test.nextPing()
        #expect(test.trigger(reset(1)) == [])
        test.after(.seconds(4))
        #expect(test.trigger(reset(2)) == [.suspect(MachineUnderTest.reset(session: 2))])
        #expect(test.isSuspect)
    }

    @Test func twoSessionsFarApartDoNot() {
        var test = MachineUnderTest()
        test.nextPing()
        for session in 0..<10 {
            _ = test.trigger(reset(UInt64(session)))
            test.after(.seconds(6))
            _ = test.answer()
        }
        #expect(!test.isSuspect)
    }

    @Test func aSuccessInBetweenAnswersTheFirst() {
        var test = MachineUnderTest()
        test.nextPing()
        test.after(.seconds(5))
        _ = test.trigger(reset(1))
        _ = test.answer()
        test.after(.seconds(1))
        #expect(test.trigger(reset(2)) == [])
        #expect(!test.isSuspect)
    }

    @Test func moreThanTwoWhereTheOperatorWantsIt() {
        var test = MachineUnderTest(MonitorSettings(suspectAfter: 3))
        test.nextPing()
        _ = test.trigger(reset(1))
        _ = test.trigger(reset(2))
        #expect(!test.isSuspect)
        _ = test.trigger(reset(3))
        #expect(test.isSuspect)
    }

    @Test func oneErrorOfASessionDoesNotWeakenFall() {
        var test = MachineUnderTest(MonitorSettings(fall: 2))
        test.nextPing()
        test.after(.seconds(5))
        _ = test.trigger(reset(1))
        #expect(test.answer(MachineUnderTest.refused) == [])
        #expect(test.isUp)
    }

    @Test func sessionsCannotTalkARouteOutOfAllItsAliases() {
        let board = RouteBoard(
            RouteTable(
                aliases: ["a", "b", "c"].map { AliasState(name: $0, endpoint: .tcp(host: $0, port: 5432)) },
                routes: [
                    Route(name: "half", aliases: [0, 1, 2]), Route(name: "alone", aliases: [0]),
                    Route(name: "most", aliases: [0, 1, 2], maxSuspectShare: 1),
                    Route(name: "none", aliases: [0, 1, 2], maxSuspectShare: 0),
                ]))
        for alias in 0..<3 { board.setSuspect(alias: alias, true) }
        func order(_ route: Int) -> [Int] { board.table.candidates(ofRoute: route).map(\.alias) }
        #expect(order(0) == [1, 2, 0])
        #expect(order(1) == [0])
        #expect(order(2) == [2, 0, 1])
        #expect(order(3) == [0, 1, 2])
    }

    @Test func aFullAliasComesBeforeASuspectOne() {
        let board = RouteBoard(
            RouteTable(
                aliases: ["a", "b", "c"].map { AliasState(name: $0, endpoint: .tcp(host: $0, port: 5432)) },
                routes: [Route(name: "route", aliases: [0, 1, 2])]))
        board.setSuspect(alias: 0, true)
        board.setStanding(alias: 1, ServiceStanding(availability: .full))
        #expect(board.table.candidates(ofRoute: 0).map(\.alias) == [2, 1, 0])
        let selection = board.table.selection(ofRoute: 0)
        #expect(selection.alias == 2)
        #expect(selection.passed.map(\.reason) == [.suspect, .refusing(.full)])
    }
}
