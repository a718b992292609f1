import FailoverCore
import FailoverTesting
import Testing

@Suite("When a service is pinged")
struct WhenAServiceIsPingedTests {
    @Test func theDefaultsAreTheOlderLibrarys() {
        let defaults = MonitorSettings()
        #expect(defaults.frequencies.monitoringInterval == .seconds(120))
        #expect(defaults.frequencies.outageInterval == .seconds(30))
        #expect(defaults.frequencies.errorInterval == .seconds(5))
        #expect(defaults.frequencies.outageLoggingInterval == .seconds(3600))
        #expect(defaults.pingTimeout == .seconds(10))
        #expect(defaults.outagePingTimeout == .seconds(1))
        #expect(defaults.fall == 1)
        #expect(defaults.rise == 1)
    }

    @Test func beforeTheFirstResultAServiceCountsAsUp() {
        #expect(MachineUnderTest().isUp)
    }

    @Test func theFirstPingStartsAtOnce() {
        var test = MachineUnderTest()
        #expect(test.machine.nextWake(after: test.now) == .zero)
        #expect(test.trigger(.timer) == [.startPing(limit: .seconds(10))])
    }

    @Test func theTimerPingsAtMonitoringFrequencyWhileUp() {
        var test = MachineUnderTest()
        test.nextPing()
        #expect(test.pause == .seconds(120))
        test.after(.seconds(119))
        #expect(test.trigger(.timer) == [])
        test.after(.seconds(1))
        #expect(test.trigger(.timer) == [.startPing(limit: .seconds(10))])
    }

    @Test func servicesThatBeginTogetherArePingedApartFromThenOn() {
        var test = MachineUnderTest()
        test.machine = ServiceStateMachine(settings: MonitorSettings(), phase: 0.25)
        for pause in [30, 120, 120] {
            test.nextPing()
            #expect(test.pause == .seconds(pause))
        }
        // An urgent ping is neither delayed nor brought forward.
        test.machine = ServiceStateMachine(settings: MonitorSettings(fall: 2), phase: 0.01)
        test.nextPing(MachineUnderTest.refused)
        #expect(test.pause == .seconds(5))
    }

    @Test func theTimerPingsAtOutageFrequencyWhileDown() {
        var test = MachineUnderTest()
        test.nextPing(MachineUnderTest.refused)
        #expect(test.pause == .seconds(30))
        test.after(.seconds(29))
        #expect(test.trigger(.timer) == [])
        test.after(.seconds(1))
        #expect(test.trigger(.timer) == [.startPing(limit: .seconds(1))])
    }

    @Test func theFrequencyCountsFromTheStartOfTheLatestPing() {
        var test = MachineUnderTest()
        _ = test.trigger(.timer)
        test.after(.seconds(9))
        _ = test.answer()
        #expect(test.pause == .seconds(111))
    }

    @Test func aNewSessionPingsIfTheFrequencyAllowsIt() {
        var test = MachineUnderTest()
        test.nextPing()
        test.after(.seconds(60))
        #expect(test.trigger(.newSession) == [])
        test.after(.seconds(60))
        #expect(test.trigger(.newSession) == [.startPing(limit: .seconds(10))])
    }

    @Test func anObservedErrorPingsAtErrorFrequencyWhileUp() {
        var test = MachineUnderTest()
        test.nextPing()
        test.after(.seconds(2))
        #expect(test.trigger(.observedError(MachineUnderTest.error)) == [.suspect(MachineUnderTest.error)])
        #expect(test.pause == .seconds(3))
        test.after(.seconds(3))
        #expect(test.trigger(.timer) == [.startPing(limit: .seconds(10))])
    }

    @Test func anObservedErrorPingsAtOnceWhenErrorFrequencyAllowsIt() {
        var test = MachineUnderTest()
        test.nextPing()
        test.after(.seconds(5))
        #expect(
            test.trigger(.observedError(MachineUnderTest.error)) == [
                .suspect(MachineUnderTest.error), .startPing(limit: .seconds(10)),
            ])
    }

    @Test func anObservedErrorPingsAtErrorFrequencyWhileDownToo() {
        var test = MachineUnderTest()
        test.nextPing(MachineUnderTest.refused)
        test.after(.seconds(5))
        #expect(test.trigger(.observedError(MachineUnderTest.error)) == [.startPing(limit: .seconds(1))])
    }

    @Test func aSlowAnswerPingsAtErrorFrequencyAndAccusesNobody() {
        var test = MachineUnderTest()
        test.nextPing()
        test.after(.seconds(2))
        #expect(test.trigger(.doubt) == [])
        #expect(test.pause == .seconds(3))
        test.after(.seconds(3))
        #expect(test.trigger(.doubt) == [.startPing(limit: .seconds(10))])
        #expect(!test.isSuspect)
    }

    @Test func anErrorFrequencySlowerThanTheStatesPutsNothingOff() {
        let frequencies = PingFrequencies(monitoringInterval: .seconds(1), errorInterval: .seconds(5))
        var test = MachineUnderTest(MonitorSettings(frequencies: frequencies, fall: 2))
        test.nextPing(MachineUnderTest.refused)
        #expect(test.pause == .seconds(1))
    }

    @Test func anOperatorPingsWhateverTheFrequency() {
        var test = MachineUnderTest()
        test.nextPing()
        #expect(test.trigger(.operator) == [.startPing(limit: .seconds(10))])
    }

    @Test func whoServesThoughItIsDownIsPingedAtOnceAndOnceASecond() {
        var test = MachineUnderTest()
        test.nextPing(MachineUnderTest.refused)
        #expect(!test.isUp)
        #expect(test.trigger(.served) == [])
        test.after(.seconds(1))
        #expect(test.trigger(.served) == [.startPing(limit: .seconds(1))])
        #expect(test.trigger(.served) == [])
        #expect(test.answer() == [.recovery(after: .seconds(1))])
    }

    @Test(arguments: [
        PingTrigger.timer, .newSession, .observedError(MachineUnderTest.error), .doubt, .served,
        .operator,
    ])
    func onePingIsInFlightAtATime(_ trigger: PingTrigger) {
        var test = MachineUnderTest()
        _ = test.trigger(.timer)
        test.after(.seconds(1000))
        let pings = test.trigger(trigger).filter(\.isPing)
        #expect(pings.isEmpty)
    }

    @Test func anErrorDuringAPingAsksForAnother() {
        var test = MachineUnderTest()
        _ = test.trigger(.timer)
        test.after(.seconds(1))
        _ = test.trigger(.observedError(MachineUnderTest.error))
        _ = test.answer()
        #expect(test.pause == .seconds(4))
    }

    @Test func anAnswerThatNobodyAskedForIsIgnored() {
        var test = MachineUnderTest()
        #expect(test.answer(MachineUnderTest.refused) == [])
        #expect(test.isUp)
    }
}
