public import FailoverCore
import FailoverSystem
import Logging
import Metrics

/// Monitors one service. Each event goes to the state machine under a lock, and the actions that follow run outside of
/// it.
///
/// Different services are pinged concurrently, and concurrently with the event loops. The outages and recoveries of one
/// service are performed one after the other, in the order of the decisions.
public final class MonitoredService: Sendable {
    public let service: any Service
    /// When a new session may request a ping. Code that accepts sessions checks this before it calls ``trigger(_:)``
    /// with `newSession`.
    public let gate = PingGate()

    let state: Lock<State>
    let environment: MonitorEnvironment
    let owner: MonitorOwner
    private let bounded: BoundedPing
    private let durations: Timer
    private let localFailures: Counter
    let hookFailures: Counter

    struct State {
        var machine: ServiceStateMachine
        /// The facts as the owner last received them.
        var facts = AliasFacts()
        /// The ping in flight, or the latest one.
        var ping: Task<Void, Never>?
        /// The latest decision. Each decision waits for the one before it.
        var decisions: Task<Void, Never>?
        /// When the timer fires. Set only while ``run()`` runs.
        var wake: MonotonicTime?
        var timer: TimerQueue.Timer?
        var isTimed = false
        /// Monitoring has ended, and no ping may start.
        var isStopped = false
        var history = PingHistory()
        /// The TLS session of the latest ping that succeeded.
        var tls: TLSFacts?
        var since: WallTime
        var outages = 0
    }

    /// - Parameters:
    ///   - settings: if given, these override the settings of the service.
    ///   - onEvent: called after the hook and the log line, in order. It must not block.
    public convenience init(
        service: any Service, settings: MonitorSettings? = nil, environment: MonitorEnvironment,
        onEvent: @escaping @Sendable (FailoverEvent) -> Void = { _ in }
    ) {
        self.init(
            service: service, settings: settings, environment: environment, owner: MonitorOwner(onEvent: onEvent))
    }

    package init(
        service: any Service, settings: MonitorSettings? = nil, environment: MonitorEnvironment, owner: MonitorOwner
    ) {
        self.service = service
        self.state = Lock(
            State(
                machine: ServiceStateMachine(
                    settings: settings ?? service.settings,
                    replication: (service as? any AnsweringService)?.replication, phase: owner.phase),
                since: environment.timeOfDay()))
        self.environment = environment
        self.owner = owner
        bounded = BoundedPing(service: service, environment: environment)
        let dimensions = [("service", service.name)]
        durations = Timer(
            label: "failover_ping_duration_seconds", dimensions: dimensions, factory: environment.metrics)
        localFailures = Counter(
            label: "failover_ping_local_failures_total", dimensions: dimensions, factory: environment.metrics)
        hookFailures = Counter(
            label: "failover_hook_failures_total", dimensions: dimensions, factory: environment.metrics)
        state.withLock { gate.set($0.machine.nextPing) }
    }

    /// Pings by a timer until the task is cancelled, then ends the monitoring. Call this once.
    public func run() async {
        state.withLock { $0.isTimed = true }
        trigger(.timer)
        let (never, _) = AsyncStream.makeStream(of: Never.self)
        for await _ in never {}
        await stop()
    }

    /// Ends the monitoring. No pings start after this. Pending decisions are performed first.
    public func stop() async {
        let (wasStopped, ping, decisions) = state.withLock { state in
            defer { state.isStopped = true }
            if let timer = state.timer { environment.timers.cancel(timer) }
            state.ping?.cancel()
            return (state.isStopped, state.ping, state.decisions)
        }
        await ping?.value
        await decisions?.value
        if !wasStopped { await service.cleanup() }
    }

    /// Removes the metrics of this service. Call this only if no other monitored service has this name: that service
    /// would lose its metrics.
    package func forgetMeasurements() {
        durations.destroy()
        localFailures.destroy()
        hookFailures.destroy()
    }

    /// Waits for the result of the first ping and its consequences, at most about twice the ping's time limit.
    public func firstAnswer() async {
        if state.withLock({ $0.history.latest == nil }) { trigger(.timer) }
        let (ping, limit) = state.withLock { ($0.ping, $0.machine.settings.pingTimeout) }
        await ping?.value
        guard let decisions = state.withLock({ $0.decisions }) else { return }
        let clock = environment.clock
        _ = await Timeout.value(of: decisions, until: clock.now.advanced(by: limit), clock: clock)
    }

    /// Requests a ping. Safe from any thread; never blocks.
    public func trigger(_ trigger: PingTrigger) {
        apply { $0.trigger(trigger, now: $1) }
    }

    /// Requests a ping, and waits for its result.
    ///
    /// If this call starts a ping, it waits for the result and its consequences, at most about twice the ping's time
    /// limit. It does not wait for a ping that is already in flight.
    public func monitor(_ trigger: PingTrigger) async {
        var limit = Duration.zero
        let ping = apply { machine, now in
            let actions = machine.trigger(trigger, now: now)
            for case .startPing(let request) in actions { limit = request.limit }
            return actions
        }
        guard let ping else { return }
        await ping.value
        guard let decisions = state.withLock({ $0.decisions }) else { return }
        let clock = environment.clock
        _ = await Timeout.value(of: decisions, until: clock.now.advanced(by: limit), clock: clock)
    }

    /// The status of the service now.
    public var status: ServiceStatus {
        state.withLock { $0.machine.status(now: environment.clock.now) }
    }

    /// Everything that is known of the service.
    public var report: ServiceReport {
        state.withLock { state in
            ServiceReport(
                name: service.name, settings: state.machine.settings,
                status: state.machine.status(now: environment.clock.now), since: state.since, history: state.history,
                outages: state.outages, lag: state.machine.lag, tls: state.tls)
        }
    }

    private func ping(_ request: PingRequest) async {
        var request = request
        request.wantsWALPosition = owner.positions?.isWanted ?? false
        var (answer, duration) = await bounded.ping(request)
        guard !Task.isCancelled else { return }
        answer.replication?.positions?.primary = owner.positions?.ofPrimary
        if let failure = answer.failure {
            environment.log.debug("\(service.name): ping failed", metadata: failure.metadata)
            if failure.kind == .local { localFailures.increment() }
        } else if request.wantsWALPosition {
            owner.positions?.tell(answer.walPosition)
        }
        let record = PingHistory.Record(
            time: environment.timeOfDay().before(duration),
            result: PingResult(failure: answer.failure, duration: duration))
        state.withLock { [answer] state in
            state.history.add(record)
            if answer.failure == nil { state.tls = answer.tls }
        }
        durations.record(duration: duration)
        apply { [answer] in $0.pingFinished(answer, now: $1) }
    }

    /// The only place that changes the state machine.
    ///
    /// - Returns: the ping that this call started; `nil` if it started none.
    @discardableResult
    private func apply(
        _ event: (inout ServiceStateMachine, MonotonicTime) -> [ServiceAction]
    ) -> Task<Void, Never>? {
        state.withLock { state in
            guard !state.isStopped else { return nil }
            let now = environment.clock.now
            var ping: Task<Void, Never>?
            let actions = event(&state.machine, now)
            // This is done before the actions, because an event names the alias that serves now.
            tellFacts(&state, now: now)
            // Actions start under the lock, so that they keep the order of their decisions. None of them blocks.
            for action in actions {
                if case .startPing(let request) = action {
                    ping = Task { await self.ping(request) }
                    state.ping = ping
                } else if let decision = Decision(action) {
                    decide(decision, &state)
                }
            }
            gate.set(state.machine.nextPing)
            if state.isTimed { arm(&state, now: now) }
            return ping
        }
    }

    func tellFacts(_ state: inout State, now: MonotonicTime) {
        var facts = state.machine.facts(now: now)
        // The outage itself is reported slightly later. Until then the suspicion must stay.
        if !state.machine.isUp { facts.standing = state.facts.standing }
        guard facts != state.facts else { return }
        state.facts = facts
        owner.onFacts(facts)
    }

    private func decide(_ decision: Decision, _ state: inout State) {
        let earlier = state.decisions
        // This is the time of the decision, not of the end of the hook. So the start and the end of an outage are
        // measured in the same way.
        let time = environment.timeOfDay()
        switch decision {
        case .event(.outage):
            state.since = time
            state.outages += 1
        case .event(.recovery): state.since = time
        default: break
        }
        state.decisions = Task {
            await earlier?.value
            await self.perform(decision, decidedAt: time)
        }
    }

    /// Sets the timer for the next due action. While a ping is in flight there is no timer; the end of the ping sets it
    /// again.
    private func arm(_ state: inout State, now: MonotonicTime) {
        let wake = state.machine.nextPing.flatMap { _ in state.machine.nextWake(after: now)?.roundedUp }
        guard state.wake != wake else { return }
        if let timer = state.timer { environment.timers.cancel(timer) }
        state.wake = wake
        state.timer = wake.map { wake in
            environment.timers.schedule(at: wake) { [weak self] in self?.timerFired(at: wake) }
        }
    }

    private func timerFired(at wake: MonotonicTime) {
        state.withLock { if $0.wake == wake { $0.wake = nil } }
        trigger(.timer)
    }
}

extension MonotonicTime {
    /// This time, rounded up to a fiftieth of a second. So a thousand services, pinged at different times, wake a
    /// thread at most fifty times per second.
    fileprivate var roundedUp: MonotonicTime {
        let step: UInt64 = 20_000_000
        let (whole, rest) = sinceOrigin.nanoseconds.quotientAndRemainder(dividingBy: step)
        return rest == 0 ? self : MonotonicTime(.nanoseconds(Int64(clamping: (whole + 1) * step)))
    }
}
