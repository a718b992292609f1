import FailoverCore
import FailoverTesting
import Testing

@Suite("What decides up and down")
struct WhatDecidesUpAndDownTests {
    let refused = MachineUnderTest.refused

    @Test func oneFailureMakesAnOutageByDefault() {
        var test = MachineUnderTest()
        #expect(test.nextPing(refused) == [.outage(refused)])
        #expect(!test.isUp)
    }

    @Test func oneSuccessMakesARecoveryByDefault() {
        var test = MachineUnderTest()
        test.nextPing(refused)
        #expect(test.nextPing() == [.recovery(after: .seconds(30))])
        #expect(test.isUp)
    }

    @Test func twoFailuresKeepServiceUpWhenFallIsThree() {
        var test = MachineUnderTest(MonitorSettings(fall: 3))
        #expect(test.nextPing(refused) == [])
        #expect(test.nextPing(refused) == [])
        #expect(test.isUp)
        #expect(test.nextPing(refused) == [.outage(refused)])
    }

    @Test func anErrorThatASessionSawIsOneOfTheFailures() {
        var test = MachineUnderTest(MonitorSettings(fall: 2))
        test.nextPing()
        test.after(.seconds(5))
        _ = test.trigger(.observedError(MachineUnderTest.error))
        #expect(test.answer(refused) == [.outage(refused)])
    }

    @Test func manyErrorsThatSessionsSawAreOneFailureAndMakeNoOutageByThemselves() {
        var test = MachineUnderTest(MonitorSettings(fall: 3))
        test.nextPing()
        test.after(.seconds(5))
        for _ in 0..<10 { _ = test.trigger(.observedError(MachineUnderTest.error)) }
        #expect(test.isUp)
        #expect(test.answer(refused) == [])
        #expect(test.nextPing(refused) == [.outage(refused)])
    }

    @Test func anErrorThatASuccessHasAnsweredCountsNoMore() {
        var test = MachineUnderTest(MonitorSettings(fall: 2))
        test.nextPing()
        test.after(.seconds(5))
        _ = test.trigger(.observedError(MachineUnderTest.error))
        #expect(test.answer() == [])
        #expect(!test.isSuspect)
        #expect(test.nextPing(refused) == [])
        #expect(test.isUp)
    }

    @Test func failuresMustBeInARow() {
        var test = MachineUnderTest(MonitorSettings(fall: 2))
        test.nextPing(refused)
        test.nextPing()
        #expect(test.nextPing(refused) == [])
        #expect(test.isUp)
    }

    @Test func successesMustBeInARow() {
        var test = MachineUnderTest(MonitorSettings(rise: 2))
        test.nextPing(refused)
        test.nextPing()
        test.nextPing(refused)
        #expect(test.nextPing() == [])
        #expect(!test.isUp)
        #expect(test.nextPing().first == .recovery(after: .seconds(70)))
    }

    @Test func anUnconfirmedFailureIsConfirmedAtErrorFrequency() {
        var test = MachineUnderTest(MonitorSettings(fall: 2))
        test.nextPing(refused)
        #expect(test.pause == .seconds(5))
    }

    @Test func anUnconfirmedRecoveryIsConfirmedAtErrorFrequency() {
        var test = MachineUnderTest(MonitorSettings(rise: 2))
        test.nextPing(refused)
        test.nextPing()
        #expect(test.pause == .seconds(5))
    }

    @Test func theLimitIsPatientWhileUpEvenBeforeTheOutageIsConfirmed() {
        var test = MachineUnderTest(MonitorSettings(fall: 2))
        test.nextPing(refused)
        test.after(.seconds(5))
        #expect(test.trigger(.timer) == [.startPing(limit: .seconds(10))])
    }

    @Test func theLimitIsQuickWhileDown() {
        var test = MachineUnderTest()
        test.nextPing(refused)
        test.after(.seconds(30))
        #expect(test.trigger(.timer) == [.startPing(limit: .seconds(1))])
    }
}
