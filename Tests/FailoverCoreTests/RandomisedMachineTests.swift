import FailoverCore
import FailoverTesting
import Testing

/// Sends random events to the machine and checks the invariants of every history.
@Suite("Invariants under random events")
struct RandomisedMachineTests {
    /// The state of a history so far.
    private struct History {
        let settings: MonitorSettings
        var pingInFlight = false
        var lastPing: MonotonicTime?
        var isUp = true
        var wasSuspect = false
        /// Pings in a row that found the server dead or alive.
        var dead = 0
        var alive = 0
        var isDegraded = false

        mutating func check(_ actions: [ServiceAction], at now: MonotonicTime, byOperator: Bool) {
            for action in actions {
                switch action {
                case .startPing(let request):
                    #expect(!pingInFlight, "two pings in flight")
                    #expect(request.limit == (isUp ? settings.pingTimeout : settings.outagePingTimeout))
                    if let lastPing, !byOperator {
                        let frequencies = settings.frequencies
                        let shortest = min(
                            frequencies.errorInterval,
                            isUp ? frequencies.monitoringInterval : frequencies.outageInterval)
                        #expect(lastPing.duration(to: now) >= shortest, "more often than the frequency")
                    }
                    pingInFlight = true
                    lastPing = now
                case .outage(let failure):
                    #expect(isUp, "an outage during an outage")
                    #expect(failure.kind == .dead, "an outage of a server that lives, or was not asked")
                    #expect(dead + (wasSuspect ? 1 : 0) >= settings.fall)
                    isUp = false
                case .recovery:
                    #expect(!isUp, "a recovery without an outage")
                    #expect(alive >= settings.rise)
                    isUp = true
                case .reminder, .change: #expect(!isUp, "a reminder without an outage")
                case .suspect, .refusesSessions: #expect(isUp)
                case .degraded(let failure, _):
                    #expect(!isDegraded, "degraded twice")
                    #expect(isUp && failure.kind == .refusal)
                    isDegraded = true
                case .stillDegraded: #expect(isDegraded && isUp)
                case .healthy:
                    #expect(isDegraded)
                    isDegraded = false
                case .couldNotAsk(let failure): #expect(failure.kind == .local)
                case .moved, .stale, .fresh: Issue.record("\(action) of a server without a policy")
                }
            }
        }

        mutating func note(_ failure: PingFailure?) {
            switch failure?.kind {
            case nil, .refusal: (dead, alive) = (0, alive + 1)
            case .dead: (dead, alive) = (dead + 1, 0)
            case .local: break
            }
        }
    }

    private static let refusal = PingFailure(.authentication, "password authentication failed")
    private static let full = PingFailure(.tooManyConnections, "sorry, too many clients already")
    private static let local = PingFailure(.local, "Too many open files")

    private static func settings(_ random: inout SplitMix) -> MonitorSettings {
        MonitorSettings(
            frequencies: PingFrequencies(
                monitoringInterval: .milliseconds(Int.random(in: 1...5000, using: &random)),
                outageInterval: .milliseconds(Int.random(in: 1...5000, using: &random)),
                errorInterval: .milliseconds(Int.random(in: 1...5000, using: &random)),
                outageLoggingInterval: .milliseconds(Int.random(in: 1...20_000, using: &random))),
            fall: Int.random(in: 1...4, using: &random), rise: Int.random(in: 1...4, using: &random),
            suspectAfter: Int.random(in: 1...4, using: &random))
    }

    private static func error(_ random: inout SplitMix, among kinds: [BackendErrorKind]) -> ObservedError {
        let kind = kinds.randomElement(using: &random) ?? .reset
        return ObservedError(kind: kind, session: UInt64.random(in: 0..<4, using: &random), detail: "")
    }

    @Test(arguments: 0..<60)
    func holdWhateverHappens(seed: UInt64) {
        var random = SplitMix(state: seed)
        var test = MachineUnderTest(Self.settings(&random))
        var history = History(settings: test.machine.settings)
        let answers = [
            nil, nil, MachineUnderTest.refused, MachineUnderTest.refused, Self.refusal, Self.full, Self.local,
        ]
        for _ in 0..<1000 {
            test.after(.milliseconds(Int.random(in: 0...800, using: &random)))
            history.wasSuspect = test.isSuspect
            switch Int.random(in: 0..<11, using: &random) {
            case 0..<4 where history.pingInFlight:
                let answer = answers.randomElement(using: &random) ?? nil
                history.note(answer)
                history.pingInFlight = false
                let actions = test.answer(answer)
                history.check(actions, at: test.now, byOperator: false)
            case 4: history.check(test.trigger(.newSession), at: test.now, byOperator: false)
            case 5:
                let error = Self.error(&random, among: BackendErrorKind.allCases)
                history.check(test.trigger(.observedError(error)), at: test.now, byOperator: false)
            case 10: history.check(test.trigger(.doubt), at: test.now, byOperator: false)
            case 6: history.check(test.trigger(.operator), at: test.now, byOperator: true)
            default: history.check(test.trigger(.timer), at: test.now, byOperator: false)
            }
            #expect(test.isUp == history.isUp)
            #expect((test.standing.refusal != nil) == history.isDegraded)
            #expect(history.pingInFlight == (test.machine.nextPing == nil))
            let wakes = test.machine.nextWake(after: test.now) != nil
            #expect(history.pingInFlight || wakes, "nothing would ever ping again")
        }
    }

    /// Only an outage closes sessions, and only suspicion makes sessions leave an alias.
    @Test(arguments: 0..<60)
    func refusedPingsLocalFailuresAndEndingsOfOneSessionCloseNoSessionAndMoveNoRoute(seed: UInt64) {
        var random = SplitMix(state: seed)
        var settings = Self.settings(&random)
        settings.suspectAfter = 2
        var test = MachineUnderTest(settings)
        let answers = [nil, Self.refusal, PingFailure(.tls, "certificate has expired"), Self.local]
        for _ in 0..<1000 {
            test.after(.milliseconds(Int.random(in: 0...800, using: &random)))
            switch Int.random(in: 0..<4, using: &random) {
            case 0: _ = test.answer(answers.randomElement(using: &random) ?? nil)
            case 1:
                let error = ObservedError(kind: .reset, session: 7, detail: "")
                _ = test.trigger(.observedError(error))
            default: _ = test.trigger(.timer)
            }
            #expect(test.isUp)
            #expect(!test.isSuspect)
            #expect(test.standing.availability == .open)
        }
    }
}
