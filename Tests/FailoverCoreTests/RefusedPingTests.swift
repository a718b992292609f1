import FailoverCore
import FailoverTesting
import Testing

@Suite("A server that refuses the monitor is alive")
struct RefusedPingTests {
    let refused = MachineUnderTest.refused
    let password = PingFailure(.authentication, "127.0.0.1:5433: FATAL: password authentication failed")
    let full = PingFailure(.tooManyConnections, "127.0.0.1:5433: FATAL: sorry, too many clients already")
    let blocked = PingFailure(.hostBlocked, "127.0.0.1:3306: Host is blocked")
    let wrongRole = PingFailure(.wrongRole, "127.0.0.1:5433: is a primary, not a replica")

    @Test(arguments: [
        PingFailure.Reason.authentication, .tooManyConnections, .userLimit, .hostBlocked, .tls, .missingPrivilege,
        .heartbeat, .unanswered, .timeout(.question),
    ])
    func aRefusalIsNoOutage(reason: PingFailure.Reason) {
        var test = MachineUnderTest()
        test.nextPing()
        let failure = PingFailure(reason, "no")
        #expect(test.nextPing(failure) == [.degraded(failure, fromTheStart: false)])
        for _ in 0..<10 { test.nextPing(failure) }
        #expect(test.isUp)
        #expect(test.machine.status(now: test.now).isDegraded)
    }

    @Test func refusedFromTheStartIsMostLikelyAMistakeOfTheConfiguration() {
        var test = MachineUnderTest()
        #expect(test.nextPing(password) == [.degraded(password, fromTheStart: true)])
    }

    @Test func degradationTakesFallRefusalsInARowAndItsEndRiseSuccesses() {
        var test = MachineUnderTest(MonitorSettings(fall: 2, rise: 2))
        test.nextPing()
        #expect(test.nextPing(password) == [])
        #expect(test.pause == .seconds(5))
        #expect(test.nextPing(password) == [.degraded(password, fromTheStart: false)])
        #expect(test.nextPing() == [])
        #expect(test.nextPing() == [.healthy(after: .seconds(125))])
        #expect(test.standing.refusal == nil)
    }

    @Test func degradationIsToldAgainAsOutagesAre() {
        let frequencies = PingFrequencies(monitoringInterval: .seconds(30), outageLoggingInterval: .seconds(60))
        var test = MachineUnderTest(MonitorSettings(frequencies: frequencies))
        test.nextPing(password)
        test.nextPing(password)
        test.after(.seconds(30))
        #expect(test.trigger(.timer).first == .stillDegraded(password, lasting: .seconds(60)))
    }

    @Test func refusalsBetweenDeadPingsStartTheCountAnew() {
        var test = MachineUnderTest(MonitorSettings(fall: 2))
        test.nextPing(refused)
        test.nextPing(password)
        #expect(test.nextPing(refused) == [])
        #expect(test.isUp)
    }

    @Test func aRefusalProvesLifeWhileDown() {
        var test = MachineUnderTest()
        test.nextPing(refused)
        #expect(
            test.nextPing(full) == [.recovery(after: .seconds(30)), .degraded(full, fromTheStart: true)])
        #expect(test.isUp)
    }

    @Test func aRefusalDoesNotProveThatTheRoleIsRightAgain() {
        var test = MachineUnderTest()
        test.nextPing(wrongRole)
        test.nextPing(full)
        test.nextPing(refused)
        test.nextPing(password)
        #expect(!test.isUp)
        test.nextPing()
        #expect(test.isUp)
    }

    @Test func anOutageOfAnotherProcessForItsRoleNeedsAnAnswerHereToo() {
        for (mustNotServe, isUp) in [(true, false), (false, true)] {
            var test = MachineUnderTest()
            test.machine.resume(AliasFacts(mustNotServe: mustNotServe), now: .zero)
            test.machine.resumeOutage(refused, since: .zero, now: .zero)
            test.nextPing(full)
            #expect(test.isUp == isUp)
        }
    }

    @Test func degradationOutlastsAnOutage() {
        var test = MachineUnderTest()
        test.nextPing(password)
        #expect(test.nextPing(refused) == [.outage(refused)])
        #expect(test.nextPing(password) == [.recovery(after: .seconds(30))])
        #expect(test.nextPing() == [.healthy(after: .seconds(270))])
    }

    @Test func whereTheOperatorWantsItARefusalCountsAsDead() {
        var test = MachineUnderTest(MonitorSettings(refusedPing: .down))
        #expect(test.nextPing(password) == [.outage(password)])
        #expect(test.nextPing(password) == [])
        #expect(!test.isUp)
    }

    @Test func newSessionsTryOthersWhileTheServerIsFullOrBlocksThisMachine() {
        var test = MachineUnderTest()
        test.nextPing(full)
        #expect(test.standing.availability == .full)
        // Pinged as often as after an error, so that the state ends soon.
        #expect(test.pause == .seconds(5))
        test.nextPing(blocked)
        #expect(test.standing.availability == .blocked)
        test.nextPing(password)
        #expect(test.standing.availability == .open)
        // The monitor has reached its own connection limit. Other users may have connections left.
        test.nextPing(PingFailure(.userLimit, "1203: User monitor already has more than 'max_user_connections'"))
        #expect(test.standing.availability == .open)
        test.nextPing(full)
        test.nextPing()
        #expect(test.standing.availability == .open)
    }
}

@Suite("A session that is refused for lack of room")
struct FullForSessionsTests {
    private func full(_ session: UInt64) -> ObservedError {
        ObservedError(kind: .tooManyConnections, session: session, detail: "53300: remaining slots are reserved")
    }

    @Test func makesTheAliasFullAndNotSuspect() {
        var test = MachineUnderTest()
        test.nextPing()
        #expect(test.trigger(.observedError(full(1))) == [.refusesSessions(.full, full(1))])
        #expect(test.standing.availability == .full)
        #expect(!test.isSuspect)
        #expect(test.trigger(.observedError(full(2))) == [])
    }

    @Test func aPingOfAPrivilegedUserDoesNotEndIt() {
        var test = MachineUnderTest()
        test.nextPing()
        test.after(.seconds(5))
        _ = test.trigger(.observedError(full(1)))
        _ = test.answer()
        #expect(test.standing.availability == .full)
    }

    @Test func endsByItselfAndLaterEachTimeThatTheServerRefusesAgain() {
        var test = MachineUnderTest()
        test.nextPing()
        for (round, lasting) in [5, 10, 20, 40, 60, 60].enumerated() {
            _ = test.trigger(.observedError(full(UInt64(round))))
            test.after(.seconds(lasting) - .milliseconds(1))
            #expect(test.standing.availability == .full)
            #expect(
                test.machine.nextWake(after: test.now).map { $0 <= test.now.advanced(by: .milliseconds(1)) } == true)
            test.after(.milliseconds(1))
            #expect(test.standing.availability == .open)
        }
        test.after(.seconds(6))
        _ = test.trigger(.observedError(full(9)))
        test.after(.seconds(5))
        #expect(test.standing.availability == .open)
    }

    @Test func anOutageForgetsIt() {
        var test = MachineUnderTest()
        test.nextPing()
        test.after(.seconds(5))
        _ = test.trigger(.observedError(full(1)))
        _ = test.answer(MachineUnderTest.refused)
        test.nextPing()
        #expect(test.isUp)
        #expect(test.standing.availability == .open)
    }
}

@Suite("A ping that this machine could not ask")
struct LocalFailureTests {
    let refused = MachineUnderTest.refused

    @Test(arguments: [PingFailure.Reason.local, .unresolved, .timeout(.lookup)])
    func changesNothing(reason: PingFailure.Reason) {
        let failure = PingFailure(reason, "Too many open files")
        var test = MachineUnderTest(MonitorSettings(fall: 2))
        test.nextPing(refused)
        #expect(test.nextPing(failure) == [.couldNotAsk(failure)])
        #expect(test.isUp)
        #expect(test.nextPing(refused) == [.outage(refused)])
        #expect(test.nextPing(failure) == [.couldNotAsk(failure)])
        #expect(!test.isUp)
    }

    @Test func isLoggedOnceWhileItLastsAndAgainAtTheLoggingFrequency() {
        let failure = PingFailure(.local, "Too many open files")
        let frequencies = PingFrequencies(errorInterval: .seconds(5), outageLoggingInterval: .seconds(60))
        var test = MachineUnderTest(MonitorSettings(frequencies: frequencies))
        var logged: [MonotonicTime] = []
        while test.now < MonotonicTime(.seconds(125)) {
            if test.nextPing(failure).contains(.couldNotAsk(failure)) { logged.append(test.now) }
        }
        #expect(logged == [0, 60, 120].map { MonotonicTime(.seconds($0)) })
        test.nextPing()
        #expect(test.nextPing(failure) == [.couldNotAsk(failure)])
    }
}
