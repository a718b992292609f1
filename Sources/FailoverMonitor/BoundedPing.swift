import FailoverCore
import FailoverSystem

/// Pings a service under a limit that holds even when the service's own code does not return.
final class BoundedPing: Sendable {
    private let service: any Service
    private let timers: TimerQueue
    private let pulse: Pulse
    /// One that has not returned yet, perhaps long after its limit. No second one is started beside it.
    private let running = Lock<Promise<PingAnswer>?>(nil)

    /// So many pings in a row are excused because this process stood still. One that always does sees deaths all the same.
    private static let mostExcused = 2
    private let excused = Lock(0)

    /// A driver ends by itself at the limit and knows best what it was waiting for; so it gets a moment to say it.
    private static let grace = Duration.milliseconds(250)

    init(service: any Service, environment: MonitorEnvironment) {
        self.service = service
        timers = environment.timers
        pulse = environment.pulse
    }

    /// Pings once. What the network seems to have done while this process stood still says nothing of the service.
    func ping(_ request: PingRequest) async -> (answer: PingAnswer, duration: Duration) {
        let (start, beat) = (timers.clock.now, pulse.begin())
        defer { pulse.end() }
        var answer = await boundedAnswer(request, start: start)
        let duration = start.duration(to: timers.clock.now)
        let mayExcuse = excused.withLock { excused in
            excused += 1
            return excused <= Self.mostExcused
        }
        let delay = pulse.longestDelay(since: beat)
        guard let failure = answer.failure, mayExcuse, failure.isExplained(by: delay, limit: request.limit) else {
            excused.withLock { $0 = 0 }
            return (answer, duration)
        }
        answer.failure = PingFailure(
            .local, "this process stood still for \(delay.inWords) meanwhile: \(failure.detail)")
        return (answer, duration)
    }

    private func boundedAnswer(_ request: PingRequest, start: MonotonicTime) async -> PingAnswer {
        let deadline = start.advanced(by: request.limit + Self.grace)
        if let earlier = running.withLock({ $0 }) {
            // It may be a moment late, which must not count as two failures.
            guard await earlier.value(until: deadline, timers) != nil else { return Self.silence(.hung, request) }
        }
        let answer = Promise<PingAnswer>()
        running.withLock { $0 = answer }
        let ping = Task {
            let given = await self.service.answered(request)
            self.running.withLock { $0 = nil }
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
    /// Whether it may come of this process's not having run for that long.
    ///
    /// Silence is explained by a pause of a second that took most of the ping's time; a connection that was lost by one in
    /// which the other side may have lost its patience.
    fileprivate func isExplained(by delay: Duration, limit: Duration) -> Bool {
        switch reason {
        case .timeout: delay > max(.seconds(1), limit / 2)
        case .disconnected: delay > max(.seconds(5), limit / 2)
        default: false
        }
    }
}
