import Logging
import Metrics

/// Drives one service: lock → ask the state machine → unlock → act.
///
/// Pings of several services run beside each other and beside the event loops' threads; the outages and recoveries of
/// one are performed one after the other, in the order in which they were decided.
public final class MonitoredService: Sendable {
    public let service: any Service
    /// Read by whoever accepts sessions, before it calls ``trigger(_:)`` with `newSession`.
    public let gate = PingGate()

    let state: Lock<State>
    let environment: MonitorEnvironment
    let currentAlias: @Sendable () -> String?
    private let onStanding: @Sendable (ServiceStanding) -> Void
    let onEvent: @Sendable (FailoverEvent) -> Void
    private let bounded: BoundedPing
    private let durations: Timer
    private let localFailures: Counter
    let hookFailures: Counter

    struct State {
        var machine: ServiceStateMachine
        /// As it was told last.
        var standing = ServiceStanding()
        /// The ping in flight, or the latest one.
        var ping: Task<Void, Never>?
        /// The end of what has been decided so far: each decision waits for the one before it.
        var decisions: Task<Void, Never>?
        /// When the timer fires, and the task that waits for it; only while ``run()`` does.
        var wake: MonotonicTime?
        var timer: Task<Void, Never>?
        var isTimed = false
        /// Monitoring has ended; nothing is to be started again.
        var isStopped = false
        var history = PingHistory()
        var since: WallTime
        var outages = 0
    }

    /// - Parameters:
    ///   - settings: instead of the service's own.
    ///   - currentAlias: the alias that serves now, for events of services that have a route.
    ///   - onStanding: told at once, on the caller's thread, when what new sessions should know has changed.
    ///   - onEvent: told after the hook and the log line, in order; must not wait.
    public init(
        service: any Service,
        settings: MonitorSettings? = nil,
        environment: MonitorEnvironment,
        currentAlias: @escaping @Sendable () -> String? = { nil },
        onStanding: @escaping @Sendable (ServiceStanding) -> Void = { _ in },
        onEvent: @escaping @Sendable (FailoverEvent) -> Void = { _ in }
    ) {
        self.service = service
        self.state = Lock(
            State(
                machine: ServiceStateMachine(settings: settings ?? service.settings), since: environment.timeOfDay()))
        self.environment = environment
        self.currentAlias = currentAlias
        self.onStanding = onStanding
        self.onEvent = onEvent
        bounded = BoundedPing(service: service, clock: environment.clock, processClock: environment.processClock)
        let dimensions = [("service", service.name)]
        durations = Timer(
            label: "failover_ping_duration_seconds", dimensions: dimensions, factory: environment.metrics)
        localFailures = Counter(
            label: "failover_ping_local_failures_total", dimensions: dimensions, factory: environment.metrics)
        hookFailures = Counter(
            label: "failover_hook_failures_total", dimensions: dimensions, factory: environment.metrics)
        state.withLock { gate.set($0.machine.nextPing) }
    }

    /// Pings by the clock until the task is cancelled, then ends the monitoring. Called once.
    public func run() async {
        state.withLock { $0.isTimed = true }
        trigger(.timer)
        let (never, _) = AsyncStream.makeStream(of: Never.self)
        for await _ in never {}
        await stop()
    }

    /// Ends the monitoring: nothing is pinged any more, what was decided is done first.
    public func stop() async {
        let (wasStopped, ping, decisions) = state.withLock { state in
            defer { state.isStopped = true }
            state.timer?.cancel()
            state.ping?.cancel()
            return (state.isStopped, state.ping, state.decisions)
        }
        await ping?.value
        await decisions?.value
        if !wasStopped { await service.cleanup() }
    }

    /// Its measurements are no longer told. Only when no service of this name goes on, which would lose its own.
    package func forgetMeasurements() {
        durations.destroy()
        localFailures.destroy()
        hookFailures.destroy()
    }

    /// Waits for the first ping's answer and what follows from it, no longer than twice the ping's limit.
    public func firstAnswer() async {
        if state.withLock({ $0.history.latest == nil }) { trigger(.timer) }
        let (ping, limit) = state.withLock { ($0.ping, $0.machine.settings.pingTimeout) }
        await ping?.value
        guard let decisions = state.withLock({ $0.decisions }) else { return }
        let clock = environment.clock
        _ = await Patience.value(of: decisions, until: clock.now.advanced(by: limit), clock: clock)
    }

    /// Something asks for a ping; safe from any thread, never waits.
    public func trigger(_ trigger: ServiceStateMachine.Trigger) {
        apply { $0.trigger(trigger, now: $1) }
    }

    /// Something asks for a ping, and wants to go on with what it says.
    ///
    /// Waits if this call starts a ping: until it has its answer and what follows from it is done, no longer than twice
    /// the ping's limit. Does not wait for a ping that is in flight already.
    public func monitor(_ trigger: ServiceStateMachine.Trigger) async {
        var limit = Duration.zero
        let ping = apply { machine, now in
            let actions = machine.trigger(trigger, now: now)
            for case .startPing(let duration) in actions { limit = duration }
            return actions
        }
        guard let ping else { return }
        await ping.value
        guard let decisions = state.withLock({ $0.decisions }) else { return }
        let clock = environment.clock
        _ = await Patience.value(of: decisions, until: clock.now.advanced(by: limit), clock: clock)
    }

    /// What is known of the service now.
    public var status: ServiceStatus {
        state.withLock { $0.machine.status(now: environment.clock.now) }
    }

    /// All that is known of it.
    public var report: ServiceReport {
        state.withLock { state in
            ServiceReport(
                name: service.name, settings: state.machine.settings,
                status: state.machine.status(now: environment.clock.now), since: state.since, history: state.history,
                outages: state.outages)
        }
    }

    private func ping(limit: Duration) async {
        let result = await bounded.ping(limit: limit)
        guard !Task.isCancelled else { return }
        if let failure = result.failure {
            environment.log.debug("\(service.name): ping failed", metadata: failure.metadata)
            if failure.kind == .local { localFailures.increment() }
        }
        let record = PingHistory.Record(time: environment.timeOfDay().before(result.duration), result: result)
        state.withLock { $0.history.add(record) }
        durations.record(duration: result.duration)
        apply { $0.pingFinished(result, now: $1) }
    }

    /// The one place where the machine moves.
    ///
    /// - Returns: the ping that this started, if it did.
    @discardableResult
    private func apply(
        _ event: (inout ServiceStateMachine, MonotonicTime) -> [ServiceStateMachine.Action]
    ) -> Task<Void, Never>? {
        state.withLock { state in
            guard !state.isStopped else { return nil }
            let now = environment.clock.now
            var ping: Task<Void, Never>?
            // Started under the lock, actions keep the order of their decisions; none of them waits.
            for action in event(&state.machine, now) {
                if case .startPing(let limit) = action {
                    ping = Task { await self.ping(limit: limit) }
                    state.ping = ping
                } else if let decision = Decision(action) {
                    decide(decision, &state)
                }
            }
            let standing = state.machine.standing(now: now)
            // An outage says more, and is told a moment later: until then suspicion has to stay.
            if state.machine.isUp, standing != state.standing {
                state.standing = standing
                onStanding(standing)
            }
            gate.set(state.machine.nextPing)
            if state.isTimed { arm(&state, now: now) }
            return ping
        }
    }

    private func decide(_ decision: Decision, _ state: inout State) {
        let earlier = state.decisions
        // Not when the hook has run: what is told of an outage and of its end counts from the same moment.
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

    /// Lets the timer fire when something is due; not while a ping is in flight, whose end arms it anew.
    ///
    /// A sleep that is cancelled keeps its memory until its time. The next reminder may be an hour away, and there is a
    /// ping every few moments.
    private func arm(_ state: inout State, now: MonotonicTime) {
        let wake = state.machine.nextPing.flatMap { _ in state.machine.nextWake(after: now) }
        guard state.wake != wake else { return }
        state.timer?.cancel()
        state.wake = wake
        state.timer = wake.map { wake in
            Task { [weak self, clock = environment.clock] in
                guard (try? await clock.sleep(until: wake)) != nil else { return }
                self?.timerFired(at: wake)
            }
        }
    }

    private func timerFired(at wake: MonotonicTime) {
        state.withLock { if $0.wake == wake { $0.wake = nil } }
        trigger(.timer)
    }
}
