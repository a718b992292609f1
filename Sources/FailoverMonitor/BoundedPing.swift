import FailoverCore
import FailoverSystem

/// Pings a service under a limit that holds even when the service's own code does not return.
final class BoundedPing: Sendable {
    private let service: any Service
    private let clock: MonotonicClock
    private let processClock: MonotonicClock
    /// One that has not returned yet, perhaps long after its limit. No second one is started beside it.
    private let running = Lock<Task<PingAnswer, Never>?>(nil)

    /// So many pings in a row are excused because this process stood still. One that always does sees deaths all the same.
    private static let mostExcused = 2
    private let excused = Lock(0)

    /// A driver ends by itself at the limit and knows best what it was waiting for; so it gets a moment to say it.
    private static let grace = Duration.milliseconds(250)

    /// - Parameter processClock: by which it is noticed that this process stood still.
    init(service: any Service, clock: MonotonicClock, processClock: MonotonicClock) {
        self.service = service
        self.clock = clock
        self.processClock = processClock
    }

    /// Pings once. What the network seems to have done while this process stood still says nothing of the service.
    func ping(_ request: PingRequest) async -> (answer: PingAnswer, duration: Duration) {
        let pulse = Pulse(clock: processClock)
        let beating = Task { await pulse.run() }
        defer { beating.cancel() }
        let start = clock.now
        var answer = await boundedAnswer(request, start: start)
        let duration = start.duration(to: clock.now)
        let mayExcuse = excused.withLock { excused in
            excused += 1
            return excused <= Self.mostExcused
        }
        guard let failure = answer.failure, mayExcuse, pulse.explains(failure, limit: request.limit) else {
            excused.withLock { $0 = 0 }
            return (answer, duration)
        }
        answer.failure = PingFailure(
            .local, "this process stood still for \(pulse.longestDelay.inWords) meanwhile: \(failure.detail)")
        return (answer, duration)
    }

    private func boundedAnswer(_ request: PingRequest, start: MonotonicTime) async -> PingAnswer {
        let deadline = start.advanced(by: request.limit + Self.grace)
        if let earlier = running.withLock({ $0 }) {
            // It may be a moment late, which must not count as two failures.
            guard await Patience.value(of: earlier, until: deadline, clock: clock) != nil else {
                return Self.silence(.hung, request)
            }
        }
        let ping = running.withLock { running in
            let ping = Task {
                let answer = await self.service.answered(request)
                self.running.withLock { $0 = nil }
                return answer
            }
            running = ping
            return ping
        }
        if let answer = await Patience.value(of: ping, until: deadline, clock: clock) { return answer }
        ping.cancel()
        return Self.silence(.ping, request)
    }

    private static func silence(_ stage: PingFailure.Stage, _ request: PingRequest) -> PingAnswer {
        PingAnswer(failure: PingFailure(.timeout(stage), "no answer within \(request.limit.inWords)"))
    }
}

/// Notices that this process stood still: it was stopped, its machine was, or it got no processor.
///
/// A task that is to wake twice a second, and how late it was.
final class Pulse: Sendable {
    private struct State {
        var due: MonotonicTime
        var longest = Duration.zero
    }

    private static let interval = Duration.milliseconds(500)

    private let clock: MonotonicClock
    private let state: Lock<State>

    init(clock: MonotonicClock) {
        self.clock = clock
        state = Lock(State(due: clock.now.advanced(by: Self.interval)))
    }

    /// By how much the task was late at most, or is now.
    var longestDelay: Duration {
        let now = clock.now
        return state.withLock { max($0.longest, $0.due.duration(to: now)) }
    }

    /// Runs until its task is cancelled.
    func run() async {
        while (try? await clock.sleep(until: state.withLock { $0.due })) != nil {
            let now = clock.now
            state.withLock { state in
                state.longest = max(state.longest, state.due.duration(to: now))
                state.due = now.advanced(by: Self.interval)
            }
        }
    }

    /// Whether a failure may come of this process's not having run.
    ///
    /// Silence is explained by a pause of a second that took most of the ping's time; a connection that was lost by one in
    /// which the other side may have lost its patience.
    func explains(_ failure: PingFailure, limit: Duration) -> Bool {
        switch failure.reason {
        case .timeout: longestDelay > max(.seconds(1), limit / 2)
        case .disconnected: longestDelay > max(.seconds(5), limit / 2)
        default: false
        }
    }
}
