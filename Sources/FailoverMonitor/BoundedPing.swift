public import FailoverCore
import FailoverSystem
import Synchronization

/// Pings a service with a time limit that holds even if the code of the service does not return.
final class BoundedPing: Sendable {
    private let service: any Service
    /// The service, if it enforces the limit of its pings itself; otherwise `nil`.
    private let punctual: (any AnsweringService)?
    private let timers: TimerQueue
    private let pulse: Pulse
    private let state = Lock(State())

    private struct State {
        /// A ping that has not returned yet. Its limit may have passed long ago. No second ping is started while it
        /// runs.
        var running: Promise<PingAnswer>?
        /// Failed pings in a row that were excused because this process did not run.
        var excused = 0
    }

    /// The limit of ``State/excused``. Without it, a process that is stopped repeatedly would never detect a dead
    /// server.
    private static let mostExcused = 2

    /// A driver ends at the limit by itself, and its failure names what it waited for. The grace gives it time to
    /// return.
    private static let grace = Duration.milliseconds(250)

    init(service: any Service, environment: MonitorEnvironment) {
        self.service = service
        punctual = service as? any AnsweringService
        timers = environment.timers
        pulse = environment.pulse
    }

    /// Pings once. If a pause of this process explains a timeout or a lost connection, the failure is `.local`.
    func ping(_ request: PingRequest) async -> (answer: PingAnswer, duration: Duration) {
        let (start, beat) = (timers.clock.now, pulse.begin())
        defer { pulse.end() }
        var answer =
            if let punctual { await punctual.answer(request) } else { await boundedAnswer(request, start: start) }
        let duration = start.duration(to: timers.clock.now)
        let mayExcuse = state.withLock { state in
            state.excused += 1
            return state.excused <= Self.mostExcused
        }
        let delay = pulse.longestDelay(since: beat)
        guard let failure = answer.failure, mayExcuse, failure.isExplained(by: delay, limit: request.limit) else {
            state.withLock { $0.excused = 0 }
            return (answer, duration)
        }
        answer.failure = PingFailure(
            .local, "this process did not run for \(delay.inWords) during the ping: \(failure.detail)")
        return (answer, duration)
    }

    private func boundedAnswer(_ request: PingRequest, start: MonotonicTime) async -> PingAnswer {
        let deadline = start.advanced(by: request.limit + Self.grace)
        if let earlier = state.withLock({ $0.running }) {
            // The earlier ping may return slightly late. That must not count as two failures.
            guard await earlier.value(until: deadline, timers) != nil else { return Self.silence(.hung, request) }
        }
        let answer = Promise<PingAnswer>()
        state.withLock { $0.running = answer }
        let ping = Task {
            let given = await self.service.answered(request)
            self.state.withLock { $0.running = nil }
            answer.give(given)
        }
        if let answer = await answer.value(until: deadline, timers) { return answer }
        ping.cancel()
        return Self.silence(.ping, request)
    }

    private static func silence(_ stage: PingFailure.Stage, _ request: PingRequest) -> PingAnswer {
        PingAnswer(failure: PingFailure(.timeout(stage), "no answer within \(request.limit.inWords)"))
    }
}

extension PingFailure {
    /// Whether the failure may result from the pause of this process.
    ///
    /// A timeout is explained by a pause of more than a second that took most of the ping's time. A lost connection
    /// is explained by a pause long enough for the peer to time out.
    fileprivate func isExplained(by delay: Duration, limit: Duration) -> Bool {
        switch reason {
        case .timeout: delay > max(.seconds(1), limit / 2)
        case .disconnected: delay > max(.seconds(5), limit / 2)
        default: false
        }
    }
}

/// When a new session may request a ping. Event loops read this one number without a lock.
public final class PingGate: Sendable {
    /// The earliest time, in nanoseconds of the monitor's clock; `UInt64.max` while a ping is in flight.
    private let opensAt = Atomic<UInt64>(.max)

    init() {}

    func set(_ time: MonotonicTime?) {
        opensAt.store(time?.sinceOrigin.nanoseconds ?? .max, ordering: .relaxed)
    }

    /// Whether the frequencies allow a ping at that time.
    public func isOpen(at time: MonotonicTime) -> Bool {
        opensAt.load(ordering: .relaxed) <= time.sinceOrigin.nanoseconds
    }
}
