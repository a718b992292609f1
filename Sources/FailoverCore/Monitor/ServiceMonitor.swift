public import Logging
import Metrics

/// Drives one service: lock → ask the state machine → unlock → act.
///
/// Pings run beside each other and beside the event loop's threads; outages and recoveries are performed one after the
/// other, in the order in which they were decided.
public final class ServiceMonitor: Sendable {
    public let service: any Service
    /// Read by whoever accepts sessions, before it calls ``trigger(_:)`` with `newSession`.
    public let gate = PingGate()

    private let state: Lock<State>
    private let clock: MonotonicClock
    private let log: Logger
    private let processID: Int32
    private let onSuspicion: @Sendable (Bool) -> Void
    private let onEvent: @Sendable (FailoverEvent) async -> Void
    private let pings: (requests: AsyncStream<Duration>, ask: AsyncStream<Duration>.Continuation)
    private let decisions: (stream: AsyncStream<FailoverEvent.Kind>, add: AsyncStream<FailoverEvent.Kind>.Continuation)
    private let bounded: BoundedPing

    private struct State {
        var machine: ServiceStateMachine
        /// When the timer fires, and the task that waits for it.
        var wake: MonotonicTime?
        var timer: Task<Void, Never>?
        /// Monitoring has ended; nothing is to be armed again.
        var isStopped = false
    }

    /// - Parameters:
    ///   - onSuspicion: told at once, on the caller's thread, when the service becomes suspect or no longer is.
    ///   - onEvent: told after the hook and the log line; slow receivers queue for themselves.
    public init(
        service: any Service,
        settings: MonitorSettings,
        clock: MonotonicClock,
        log: Logger,
        processID: Int32,
        onSuspicion: @escaping @Sendable (Bool) -> Void = { _ in },
        onEvent: @escaping @Sendable (FailoverEvent) async -> Void = { _ in }
    ) {
        self.service = service
        self.state = Lock(State(machine: ServiceStateMachine(settings: settings)))
        self.clock = clock
        self.log = log
        self.processID = processID
        self.onSuspicion = onSuspicion
        self.onEvent = onEvent
        let (requests, ask) = AsyncStream.makeStream(of: Duration.self)
        pings = (requests, ask)
        let (stream, add) = AsyncStream.makeStream(of: FailoverEvent.Kind.self)
        decisions = (stream, add)
        bounded = BoundedPing(service: service, clock: clock)
    }

    /// Monitors until the task is cancelled. Called once.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await decision in self.decisions.stream { await self.perform(decision) }
            }
            apply { $0.trigger(.timer, now: $1) }
            for await limit in pings.requests {
                group.addTask { await self.ping(limit: limit) }
            }
            decisions.add.finish()
            state.withLock {
                $0.isStopped = true
                $0.timer?.cancel()
            }
        }
        await service.globalCleanup()
    }

    /// Something asks for a ping; safe from any thread, never waits.
    public func trigger(_ trigger: ServiceStateMachine.Trigger) {
        apply { $0.trigger(trigger, now: $1) }
    }

    /// What is known of the service now.
    public var status: ServiceStatus {
        state.withLock { $0.machine.status(now: clock.now) }
    }

    private func ping(limit: Duration) async {
        let result = await bounded.ping(limit: limit)
        guard !Task.isCancelled else { return }
        if let failure = result.failure {
            log.debug("\(service.name): ping failed", metadata: Self.metadata(of: failure))
        }
        apply { $0.pingFinished(result, now: $1) }
    }

    /// The one place where the machine moves.
    private func apply(_ event: (inout ServiceStateMachine, MonotonicTime) -> [ServiceStateMachine.Action]) {
        state.withLock { state in
            guard !state.isStopped else { return }
            // Started under the lock, actions keep the order of their decisions; none of them waits.
            for action in event(&state.machine, clock.now) { start(action) }
            gate.set(state.machine.nextPing)
            arm(&state)
        }
    }

    private func start(_ action: ServiceStateMachine.Action) {
        switch action {
        case .startPing(let limit): pings.ask.yield(limit)
        case .setSuspect(let isSuspect): onSuspicion(isSuspect)
        case .outage(let failure): decisions.add.yield(.outage(failure))
        case .reminder(let failure, let lasting): decisions.add.yield(.reminder(failure, lasting: lasting))
        case .recovery(let duration): decisions.add.yield(.recovery(after: duration))
        }
    }

    private func arm(_ state: inout State) {
        let wake = state.machine.nextWake
        guard state.wake != wake else { return }
        state.timer?.cancel()
        state.wake = wake
        state.timer = wake.map { wake in
            Task { [weak self, clock] in
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

// MARK: - Outage and recovery

extension ServiceMonitor {
    private func perform(_ kind: FailoverEvent.Kind) async {
        let event = FailoverEvent(service: service.name, kind: kind, processID: processID)
        do {
            switch kind {
            case .outage(let failure): try await service.failover(because: failure)
            case .recovery: try await service.recover()
            case .reminder: break
            }
        } catch {
            Counter(label: "failover_hook_failures", dimensions: [("service", service.name)]).increment()
            log.error("\(service.name): the hook of an event failed", metadata: ["error": "\(error)"])
        }
        switch kind {
        case .outage(let failure): log.critical("\(event.message)", metadata: Self.metadata(of: failure))
        case .reminder(let failure, let lasting):
            var metadata = Self.metadata(of: failure)
            metadata["lasting"] = "\(lasting.inWords)"
            log.critical("\(event.message)", metadata: metadata)
        case .recovery(let duration): log.info("\(event.message)", metadata: ["down_for": "\(duration.inWords)"])
        }
        await onEvent(event)
    }

    private static func metadata(of failure: PingFailure) -> Logger.Metadata {
        ["reason": "\(failure.reason)", "detail": "\(failure.detail)"]
    }
}
