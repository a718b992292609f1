import FailoverCore
import FailoverTesting
import Testing

/// Throws events at random at the machine and holds what must be true of every history.
@Suite("Invariants under random events")
struct RandomisedMachineTests {
    /// What a history has shown so far.
    private struct History {
        let settings: MonitorSettings
        var pingInFlight = false
        var lastPing: MonotonicTime?
        var isUp = true
        var isSuspect = false
        var streak = 0

        mutating func check(_ actions: [ServiceStateMachine.Action], at now: MonotonicTime, byOperator: Bool) {
            for action in actions {
                switch action {
                case .startPing(let limit):
                    #expect(!pingInFlight, "two pings in flight")
                    #expect(limit == (isUp ? settings.pingTimeout : settings.outagePingTimeout))
                    if let lastPing, !byOperator {
                        let frequencies = settings.frequencies
                        let shortest = min(
                            frequencies.errorInterval,
                            isUp ? frequencies.monitoringInterval : frequencies.outageInterval)
                        #expect(lastPing.duration(to: now) >= shortest, "more often than the frequency")
                    }
                    pingInFlight = true
                    lastPing = now
                case .outage:
                    #expect(isUp, "an outage during an outage")
                    #expect(streak + (isSuspect ? 1 : 0) >= settings.fall)
                    isUp = false
                    isSuspect = false
                case .recovery:
                    #expect(!isUp, "a recovery without an outage")
                    #expect(streak >= settings.rise)
                    isUp = true
                case .reminder, .change:
                    #expect(!isUp, "a reminder without an outage")
                case .setSuspect(let value):
                    #expect(value != isSuspect, "suspicion does not alternate")
                    #expect(isUp)
                    isSuspect = value
                }
            }
        }
    }

    @Test(arguments: 0..<60)
    func holdWhateverHappens(seed: UInt64) {
        var random = SplitMix(state: seed)
        let settings = MonitorSettings(
            frequencies: PingFrequencies(
                monitoringInterval: .milliseconds(Int.random(in: 1...5000, using: &random)),
                outageInterval: .milliseconds(Int.random(in: 1...5000, using: &random)),
                errorInterval: .milliseconds(Int.random(in: 1...5000, using: &random)),
                outageLoggingInterval: .milliseconds(Int.random(in: 1...20_000, using: &random))),
            fall: Int.random(in: 1...4, using: &random), rise: Int.random(in: 1...4, using: &random))
        var test = MachineUnderTest(settings)
        var history = History(settings: settings)
        var lastSucceeded: Bool?
        for _ in 0..<1000 {
            test.after(.milliseconds(Int.random(in: 0...800, using: &random)))
            switch Int.random(in: 0..<11, using: &random) {
            case 0..<4 where history.pingInFlight:
                let succeeds = Bool.random(using: &random)
                history.streak = lastSucceeded == succeeds ? history.streak + 1 : 1
                lastSucceeded = succeeds
                history.pingInFlight = false
                let actions = test.answer(succeeds ? nil : MachineUnderTest.refused)
                history.check(actions, at: test.now, byOperator: false)
            case 4: history.check(test.trigger(.newSession), at: test.now, byOperator: false)
            case 5: history.check(test.trigger(.observedError), at: test.now, byOperator: false)
            case 10: history.check(test.trigger(.doubt), at: test.now, byOperator: false)
            case 6: history.check(test.trigger(.operator), at: test.now, byOperator: true)
            default: history.check(test.trigger(.timer), at: test.now, byOperator: false)
            }
            #expect(test.isUp == history.isUp)
            #expect(test.isSuspect == history.isSuspect)
            #expect(history.pingInFlight == (test.machine.nextPing == nil))
            #expect(history.pingInFlight || test.machine.nextWake != nil, "nothing would ever ping again")
        }
    }
}
