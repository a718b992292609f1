import FailoverCore
import FailoverMonitor
import FailoverSystem
import FailoverTesting
import Glibc
import Logging
import Testing

@Suite("The monitor drives a service")
struct MonitoredServiceTests {
    /// A service that answers when the test says so, and records its calls.
    private final class ScriptedService: TimedService {
        struct Hook: Error {}
        let name = "slave"
        private let state = Lock((pings: 0, calls: [String](), hooksFail: false))
        private let answers = AsyncStream.makeStream(of: PingFailure?.self)
        private let mayHang: Bool

        init(mayHang: Bool = false) { self.mayHang = mayHang }

        var pings: Int { state.withLock { $0.pings } }
        var calls: [String] { state.withLock { $0.calls } }

        func failHooks() { state.withLock { $0.hooksFail = true } }
        func answer(_ failure: PingFailure?) { answers.continuation.yield(failure) }

        func ping(limit: Duration) async throws {
            state.withLock { $0.pings += 1 }
            if mayHang {
                // Ignores cancellation, as a C call does.
                await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
            }
            for await failure in answers.stream {
                if let failure { throw failure }
                return
            }
        }

        func failover(because failure: PingFailure) async throws { try note("failover") }
        func recover() async throws { try note("recover") }
        func cleanup() async { try? note("cleanup") }

        private func note(_ call: String) throws {
            try state.withLock {
                $0.calls.append(call)
                if $0.hooksFail { throw Hook() }
            }
        }
    }

    private let clock = ManualClock()
    private let refused = PingFailure(.refused, "connection refused")

    private func monitor(
        _ service: ScriptedService, _ log: CapturedLog = CapturedLog(), settings: MonitorSettings = MonitorSettings()
    ) -> MonitoredService {
        MonitoredService(service: service, settings: settings, environment: environment(log))
    }

    private func environment(_ log: CapturedLog = CapturedLog()) -> MonitorEnvironment {
        .manual(clock, log: log, host: "db")
    }

    @Test func anOutageFailsOverThenLogsCriticalAndARecoveryRecoversThenLogsInfo() async {
        let service = ScriptedService()
        let log = CapturedLog()
        let running = Task { [monitor = monitor(service, log)] in await monitor.run() }
        service.answer(refused)
        #expect(await eventually { log.lines.count == 1 })
        #expect(service.calls == ["failover"])
        #expect(log.lines == ["critical slave outage. Failover initiated. (Process ID: 7)"])
        #expect(log.metadata[0]["reason"] == "refused")
        #expect(log.metadata[0]["detail"] == "connection refused")

        #expect(await eventually { clock.wakes.contains(.seconds(30)) })
        clock.advance(by: .seconds(30))
        service.answer(nil)
        #expect(await eventually { log.lines.count == 2 })
        #expect(service.calls == ["failover", "recover"])
        #expect(log.lines[1] == "info slave is back up. Recovery complete. (Process ID: 7)")
        running.cancel()
        await running.value
        #expect(service.calls.last == "cleanup")
    }

    @Test func anotherMonitorGoesOnFromWhatIsKnownUnderItsOwnSettings() async {
        let service = ScriptedService()
        let log = CapturedLog()
        let former = monitor(service, log)
        let running = Task { await former.run() }
        service.answer(refused)
        #expect(await eventually { log.lines.count == 1 })
        running.cancel()
        await running.value

        let next = monitor(service, log, settings: MonitorSettings(rise: 2))
        next.resume(from: former)
        #expect(next.report.outages == 1)
        #expect(next.report.history.failed == 1)
        guard case .down(refused, _) = next.status.verdict else {
            Issue.record("\(next.status)")
            return
        }
        let other = Task { await next.run() }
        for success in 0..<2 {
            #expect(service.calls.contains("recover") == false, "\(success)")
            clock.advance(by: .seconds(30))
            service.answer(nil)
            #expect(await eventually { next.report.history.succeeded == success + 1 })
        }
        #expect(await eventually { service.calls.last == "recover" })
        #expect(log.lines.count == 2)
        other.cancel()
        await other.value
    }

    @Test func anOutageThatWasToldElsewhereIsNotToldAgain() async {
        let service = ScriptedService()
        let log = CapturedLog()
        let monitor = monitor(service, log)
        monitor.resumeOutage(since: WallTime(sinceEpoch: .seconds(-60)), because: refused)
        guard case .down(refused, .seconds(60)) = monitor.status.verdict else {
            Issue.record("\(monitor.status)")
            return
        }
        let running = Task { await monitor.run() }
        service.answer(nil)
        #expect(await eventually { service.calls == ["recover"] })
        #expect(await eventually { log.lines == ["info slave is back up. Recovery complete. (Process ID: 7)"] })
        #expect(log.metadata[0]["down_for"] == "1m 0s")
        running.cancel()
        await running.value
    }

    @Test func nothingSleepsUntilTheNextReminderWhileAPingIsInFlight() async {
        let service = ScriptedService()
        let running = Task { [monitor = monitor(service)] in await monitor.run() }
        service.answer(refused)
        #expect(await eventually { clock.wakes == [.seconds(30)] })
        clock.advance(by: .seconds(30))
        // The ping's time limit of 1 s and its grace, but not the hour of the reminder: each ping would leave one
        // behind.
        #expect(await eventually { clock.wakes == [.milliseconds(31_250)] })
        service.answer(nil)
        #expect(await eventually { service.calls == ["failover", "recover"] })
        running.cancel()
        await running.value
    }

    @Test func aFailingHookIsLoggedAtErrorAndStopsNothing() async {
        let service = ScriptedService()
        service.failHooks()
        let log = CapturedLog()
        let running = Task { [monitor = monitor(service, log)] in await monitor.run() }
        service.answer(refused)
        #expect(await eventually { log.lines.count == 2 })
        #expect(log.lines[0].hasPrefix("error slave: an event hook failed"))
        #expect(await eventually { clock.wakes.contains(.seconds(30)) })
        clock.advance(by: .seconds(30))
        service.answer(nil)
        #expect(await eventually { log.lines.count == 4 })
        running.cancel()
        await running.value
    }

    @Test func aPingThatNeverReturnsIsAnOutageAtItsLimitAndIsNotStartedAgain() async {
        let service = ScriptedService(mayHang: true)
        let log = CapturedLog()
        let running = Task { [monitor = monitor(service, log)] in await monitor.run() }
        #expect(await eventually { service.pings == 1 && clock.wakes.contains(.milliseconds(10_250)) })
        clock.advance(by: .milliseconds(10_250))
        #expect(await eventually { log.lines.count == 1 })
        #expect(log.metadata[0]["reason"] == "timeout (pinging)")
        #expect(await eventually { clock.wakes.contains(.seconds(30)) })
        clock.advance(by: .seconds(20))
        // The second ping waits for the first, as long as it may wait for an answer.
        #expect(await eventually { clock.wakes.contains { $0 > .seconds(31) && $0 < .seconds(60) } })
        clock.advance(by: .milliseconds(10_250))
        // The second ping has failed when the third is due, 30 s after it.
        #expect(await eventually { clock.wakes.contains { $0 > .seconds(60) && $0 < .seconds(61) } })
        #expect(service.pings == 1)
        running.cancel()
        await running.value
    }

    /// A process that was stopped, or got no CPU time, for part of a ping.
    @Test(arguments: [
        (PingFailure.Reason.timeout(.login), Duration.seconds(6), true), (.disconnected, .seconds(6), true),
        (.timeout(.login), .seconds(4), false), (.disconnected, .seconds(4), false), (.refused, .seconds(6), false),
    ])
    func whatAPingMissedWhileTheProcessStoodStillIsNoOutage(
        reason: PingFailure.Reason, pause: Duration, isLocal: Bool
    ) async {
        let (service, log, processClock) = (ScriptedService(), CapturedLog(), ManualClock())
        var environment = environment(log)
        environment.processClock = MonotonicClock(processClock)
        let monitor = MonitoredService(service: service, settings: MonitorSettings(), environment: environment)
        let running = Task { await monitor.run() }
        #expect(await eventually { service.pings == 1 && processClock.wakes == [.milliseconds(500)] })
        processClock.advance(by: .milliseconds(500) + pause)
        service.answer(PingFailure(reason, "127.0.0.1:5433 gave no answer within 10 s"))
        #expect(await eventually { log.lines.count == 1 })
        #expect(
            log.lines[0].hasPrefix(isLocal ? "error slave could not be pinged" : "critical slave outage"),
            "\(log.lines)")
        #expect(monitor.status.isUp == isLocal)
        if isLocal {
            let message = "this process did not run for 6s during the ping: 127.0.0.1:5433 gave no answer within 10 s"
            #expect(log.metadata[0]["detail"] == "\(message)")
        }
        running.cancel()
        await running.value
    }

    @Test func aProcessThatAlwaysStandsStillSeesADeathAllTheSame() async {
        let (service, log, processClock) = (ScriptedService(), CapturedLog(), ManualClock())
        var environment = environment(log)
        environment.processClock = MonotonicClock(processClock)
        let monitor = MonitoredService(service: service, settings: MonitorSettings(), environment: environment)
        let running = Task { await monitor.run() }
        for ping in 1...3 {
            #expect(await eventually { service.pings == ping && processClock.wakes.count == 1 })
            processClock.advance(by: .seconds(10))
            service.answer(PingFailure(.timeout(.login), "no answer within 10 s"))
            guard ping < 3 else { break }
            let due = Duration.seconds(5 * ping)
            #expect(await eventually { clock.wakes.contains(due) }, "\(clock.wakes)")
            clock.advance(by: .seconds(5))
        }
        #expect(await eventually { !monitor.status.isUp })
        running.cancel()
        await running.value
    }

    @Test func aRefusalThatAnotherProcessHasToldIsNotToldAgainButItsEndIs() async {
        let (service, log) = (ScriptedService(), CapturedLog())
        let monitor = monitor(service, log)
        let password = PingFailure(.authentication, "password authentication failed")
        monitor.resumeRefusal(since: WallTime(sinceEpoch: .seconds(-60)), because: password)
        let running = Task { await monitor.run() }
        service.answer(password)
        #expect(await eventually { clock.wakes.contains(.seconds(120)) })
        #expect(monitor.status.isDegraded)
        clock.advance(by: .seconds(120))
        service.answer(nil)
        #expect(await eventually { log.lines.count == 1 })
        #expect(log.lines[0].hasPrefix("info slave is healthy again"), "\(log.lines)")
        #expect(log.metadata[0]["degraded_for"] == "3m 0s")
        running.cancel()
        await running.value
    }

    @Test func anObservedErrorIsToldAtOnceAndPings() async {
        let service = ScriptedService()
        let suspicion = Lock<[Bool]>([])
        let monitor = MonitoredService(
            service: service, environment: environment(),
            owner: MonitorOwner(onFacts: { facts in suspicion.withLock { $0.append(facts.standing.isSuspect) } }))
        let running = Task { await monitor.run() }
        service.answer(nil)
        #expect(await eventually { clock.wakes.contains(.seconds(120)) })
        clock.advance(by: .seconds(5))
        monitor.trigger(.observedError(MachineUnderTest.error))
        #expect(suspicion.withLock { $0 } == [true])
        service.answer(nil)
        #expect(await eventually { suspicion.withLock { $0 } == [true, false] })
        #expect(service.pings == 2)
        running.cancel()
        await running.value
    }

    private struct LateReplica: AnsweringService {
        let name = "slave"
        var replication: ReplicationPolicy? { ReplicationPolicy(maxLag: .seconds(1)) }

        func answer(_ request: PingRequest) async -> PingAnswer {
            PingAnswer(replication: ReplicationReading(behind: .seconds(60)))
        }
    }

    @Test func whenAnEventIsToldRoutesHaveFollowedItsFacts() async {
        let isStale = Lock(false)
        let told = Lock<[String?]>([])
        let monitor = MonitoredService(
            service: LateReplica(), environment: environment(),
            owner: MonitorOwner(
                currentAlias: { isStale.withLock { $0 } ? "default" : "slave" },
                onFacts: { facts in
                    // Leaves an event that does not wait for the facts the time to overtake them.
                    for _ in 0..<100_000 where told.withLock({ $0.isEmpty }) { sched_yield() }
                    isStale.withLock { $0 = facts.staleness != nil }
                },
                onEvent: { event in told.withLock { $0.append(event.currentAlias) } }))
        await monitor.monitor(.timer)
        #expect(told.withLock { $0 } == ["default"])
        await monitor.stop()
    }

    /// A server whose pings have these answers, one after the other.
    private final class EncryptedServer: AnsweringService {
        let name = "slave"
        let replication: ReplicationPolicy? = nil
        private let answers: Lock<[PingAnswer]>

        init(_ answers: [PingAnswer]) { self.answers = Lock(answers) }

        func answer(_ request: PingRequest) async -> PingAnswer { answers.withLock { $0.removeFirst() } }
    }

    @Test func theTLSOfTheLatestGoodPingIsKnownUntilAnotherOneSucceeds() async {
        let (old, new) = (TLSFacts(version: "TLSv1.2"), TLSFacts(version: "TLSv1.3"))
        let server = EncryptedServer([
            PingAnswer(tls: old), PingAnswer(failure: refused), PingAnswer(tls: new), PingAnswer(),
        ])
        var monitor = MonitoredService(service: server, environment: environment())
        #expect(monitor.report.tls == nil)
        for tls in [old, old, new] {
            await monitor.monitor(.operator)
            #expect(monitor.report.tls == tls)
        }
        let next = MonitoredService(service: server, environment: environment())
        next.resume(from: monitor)
        await monitor.stop()
        monitor = next
        #expect(monitor.report.tls == new)
        await monitor.monitor(.operator)
        #expect(monitor.report.tls == nil)
        await monitor.stop()
    }

    @Test func theGateIsShutWhileAPingIsInFlightAndOpensWhenOneIsDue() async {
        let service = ScriptedService()
        let monitor = monitor(service)
        let running = Task { await monitor.run() }
        #expect(await eventually { service.pings == 1 })
        #expect(!monitor.gate.isOpen(at: MonotonicTime(.seconds(1000))))
        service.answer(nil)
        #expect(await eventually { monitor.gate.isOpen(at: MonotonicTime(.seconds(120))) })
        #expect(!monitor.gate.isOpen(at: MonotonicTime(.seconds(119))))
        running.cancel()
        await running.value
    }
}
