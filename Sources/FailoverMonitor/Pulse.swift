import FailoverCore
import FailoverSystem

/// Detects pauses of this process: the process or the machine was stopped, or the process got no CPU time.
///
/// While any ping is in flight, a timer fires twice a second. The delay of the timer shows how long the process was
/// paused. All pings of a process share one timer.
final class Pulse: Sendable {
    private struct State {
        /// Pings in flight.
        var pings = 0
        var due = MonotonicTime.zero
        var timer: TimerQueue.Timer?
        /// The latest late beats, oldest first.
        var delays: [(end: MonotonicTime, length: Duration)] = []
    }

    private static let interval = Duration.milliseconds(500)
    /// Enough even for a process that is paused again and again.
    private static let mostDelays = 64

    private let timers: TimerQueue
    private let state = Lock(State())

    init(_ clock: MonotonicClock) { timers = TimerQueue(clock) }

    /// Marks the start of a ping.
    ///
    /// - Returns: the start time, for ``longestDelay(since:)``.
    func begin() -> MonotonicTime {
        let now = timers.clock.now
        state.withLock { state in
            state.pings += 1
            if state.pings == 1 { schedule(&state, now: now) }
        }
        return now
    }

    /// Marks the end of a ping.
    func end() {
        state.withLock { state in
            state.pings -= 1
            guard state.pings == 0 else { return }
            if let timer = state.timer { timers.cancel(timer) }
            state.timer = nil
            state.delays = []
        }
    }

    /// The longest pause of the process since a ping began. A pause that has not ended counts up to now.
    func longestDelay(since start: MonotonicTime) -> Duration {
        let now = timers.clock.now
        return state.withLock { state in
            let delays = state.delays + [(end: now, length: state.due.duration(to: now))]
            return delays.filter { $0.end > start }.map { min($0.length, start.duration(to: $0.end)) }.max() ?? .zero
        }
    }

    private func schedule(_ state: inout State, now: MonotonicTime) {
        state.due = now.advanced(by: Self.interval)
        state.timer = timers.schedule(at: state.due) { [weak self] in self?.beat() }
    }

    private func beat() {
        let now = timers.clock.now
        state.withLock { state in
            guard state.pings > 0, state.due <= now else { return }
            let length = state.due.duration(to: now)
            if length >= Self.interval { state.delays.append((now, length)) }
            if state.delays.count > Self.mostDelays { state.delays.removeFirst() }
            schedule(&state, now: now)
        }
    }
}
