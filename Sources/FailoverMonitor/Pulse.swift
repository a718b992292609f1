import FailoverCore
import FailoverSystem

/// Notices that this process stood still: it was stopped, its machine was, or it got no processor.
///
/// While any ping is in flight a timer is to fire twice a second; how late it does is how long the process stood still. One
/// for all pings of a process.
final class Pulse: Sendable {
    private struct State {
        /// Pings in flight.
        var pings = 0
        var due = MonotonicTime.zero
        var timer: TimerQueue.Timer?
        /// The latest beats that were late, oldest first.
        var delays: [(end: MonotonicTime, length: Duration)] = []
    }

    private static let interval = Duration.milliseconds(500)
    /// A process that stands still all the time needs no more to be known of it.
    private static let mostDelays = 64

    private let timers: TimerQueue
    private let state = Lock(State())

    init(_ clock: MonotonicClock) { timers = TimerQueue(clock) }

    /// A ping begins.
    ///
    /// - Returns: when, for ``longestDelay(since:)``.
    func begin() -> MonotonicTime {
        let now = timers.clock.now
        state.withLock { state in
            state.pings += 1
            if state.pings == 1 { schedule(&state, now: now) }
        }
        return now
    }

    /// It has ended.
    func end() {
        state.withLock { state in
            state.pings -= 1
            guard state.pings == 0 else { return }
            if let timer = state.timer { timers.cancel(timer) }
            state.timer = nil
            state.delays = []
        }
    }

    /// How long the process stood still at most since a ping began; or does now, as far as that can be told.
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
