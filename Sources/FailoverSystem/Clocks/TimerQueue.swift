package import FailoverCore

/// Calls functions at given times of one clock.
///
/// One task sleeps until the earliest time, regardless of the number of timers. With one task per timer, the pings of a
/// thousand services would need thousands of sleeping tasks, and a cancelled sleep keeps its memory until its time.
package final class TimerQueue: Sendable {
    /// A scheduled callback.
    package struct Timer: Sendable {
        fileprivate let slot: Int
        fileprivate let number: UInt64
    }

    private struct Entry {
        let number: UInt64
        let call: @Sendable () -> Void
    }

    private struct State {
        var deadlines = DeadlineQueue()
        /// Entries by slot; `nil` for a free slot.
        var entries: [Entry?] = []
        var free: [Int] = []
        var number: UInt64 = 0
        /// The deadline that the task sleeps until.
        var wake: UInt64?
        var sleeper: Task<Void, Never>?
    }

    /// The queue of the process's own clock.
    package static let system = TimerQueue(MonotonicClock())

    package let clock: MonotonicClock
    private let state = Lock(State())

    package init(_ clock: MonotonicClock) { self.clock = clock }

    deinit { state.withLock { $0.sleeper?.cancel() } }

    /// Calls `call` once at this time, or immediately if the time has passed. The call runs on a thread of Swift's
    /// pool, so it must not block.
    package func schedule(at time: MonotonicTime, _ call: @escaping @Sendable () -> Void) -> Timer {
        state.withLock { state in
            state.number += 1
            let slot = state.free.popLast() ?? state.entries.count
            if slot == state.entries.count { state.entries.append(nil) }
            state.entries[slot] = Entry(number: state.number, call: call)
            state.deadlines.set(Self.deadline(time), forSlot: slot)
            arm(&state)
            return Timer(slot: slot, number: state.number)
        }
    }

    /// Calls `call` once after this duration.
    package func schedule(after duration: Duration, _ call: @escaping @Sendable () -> Void) -> Timer {
        schedule(at: clock.now.advanced(by: duration), call)
    }

    /// Cancels the timer. This has no effect if its call has begun.
    package func cancel(_ timer: Timer) {
        state.withLock { state in
            guard timer.slot < state.entries.count, state.entries[timer.slot]?.number == timer.number else { return }
            state.entries[timer.slot] = nil
            state.free.append(timer.slot)
            state.deadlines.set(nil, forSlot: timer.slot)
            arm(&state)
        }
    }

    /// Nanoseconds since the clock's origin, rounded up so that no call is early.
    private static func deadline(_ time: MonotonicTime) -> UInt64 {
        let whole = time.sinceOrigin.nanoseconds
        return Duration.nanoseconds(Int64(clamping: whole)) < time.sinceOrigin ? whole + 1 : whole
    }

    /// Makes the task sleep until the earliest deadline.
    private func arm(_ state: inout State) {
        guard state.wake != state.deadlines.first else { return }
        state.sleeper?.cancel()
        state.wake = state.deadlines.first
        state.sleeper = state.wake.map { wake in
            Task { [weak self, clock] in
                var wake: UInt64? = wake
                while let deadline = wake {
                    let time = MonotonicTime(.nanoseconds(Int64(clamping: deadline)))
                    guard (try? await clock.sleep(until: time)) != nil else { return }
                    wake = self?.callExpired(after: deadline)
                }
            }
        }
    }

    /// - Parameter wake: the deadline that has passed.
    /// - Returns: the next deadline to sleep until; `nil` if another task does that.
    private func callExpired(after wake: UInt64) -> UInt64? {
        let now = clock.now.sinceOrigin.nanoseconds
        let (calls, next) = state.withLock { state in
            var calls: [@Sendable () -> Void] = []
            while let slot = state.deadlines.popExpired(now: now) {
                if let entry = state.entries[slot] { calls.append(entry.call) }
                state.entries[slot] = nil
                state.free.append(slot)
            }
            // If the queue was armed again in the meantime, another task sleeps.
            guard state.wake == wake else { return (calls, UInt64?.none) }
            state.wake = state.deadlines.first
            return (calls, state.wake)
        }
        for call in calls { call() }
        return next
    }
}
