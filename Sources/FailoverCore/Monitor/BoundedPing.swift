/// Pings a service under a limit that holds even when the service's own code does not return.
final class BoundedPing: Sendable {
    private let service: any Service
    private let clock: MonotonicClock
    private let processClock: MonotonicClock
    /// One that has not returned yet, perhaps long after its limit. No second one is started beside it.
    private let running = Lock<Task<PingFailure?, Never>?>(nil)

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
    func ping(limit: Duration) async -> PingResult {
        let pulse = Pulse(clock: processClock)
        let beating = Task { await pulse.run() }
        defer { beating.cancel() }
        let result = await boundedPing(limit: limit)
        let mayExcuse = excused.withLock { excused in
            excused += 1
            return excused <= Self.mostExcused
        }
        guard let failure = result.failure, mayExcuse, pulse.explains(failure, limit: limit) else {
            excused.withLock { $0 = 0 }
            return result
        }
        let words = "this process stood still for \(pulse.longestDelay.inWords) meanwhile: \(failure.detail)"
        return PingResult(failure: PingFailure(.local, words), duration: result.duration)
    }

    private func boundedPing(limit: Duration) async -> PingResult {
        let start = clock.now
        let deadline = start.advanced(by: limit + Self.grace)
        if let earlier = running.withLock({ $0 }) {
            // It may be a moment late, which must not count as two failures.
            guard await Patience.value(of: earlier, until: deadline, clock: clock) != nil else {
                return result(.hung, start: start, limit: limit)
            }
        }
        let ping = running.withLock { running in
            let ping = Task {
                let failure = await self.outcome(limit: limit)
                self.running.withLock { $0 = nil }
                return failure
            }
            running = ping
            return ping
        }
        if let failure = await Patience.value(of: ping, until: deadline, clock: clock) {
            return PingResult(failure: failure, duration: start.duration(to: clock.now))
        }
        ping.cancel()
        return result(.ping, start: start, limit: limit)
    }

    private func outcome(limit: Duration) async -> PingFailure? {
        do {
            try await service.ping(limit: limit)
            return nil
        } catch let failure as PingFailure {
            return failure
        } catch {
            return PingFailure(.other, "\(error)")
        }
    }

    private func result(_ stage: PingFailure.Stage, start: MonotonicTime, limit: Duration) -> PingResult {
        PingResult(
            failure: PingFailure(.timeout(stage), "no answer within \(limit.inWords)"),
            duration: start.duration(to: clock.now))
    }
}
