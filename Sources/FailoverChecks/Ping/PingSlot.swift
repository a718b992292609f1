import FailoverCore
import FailoverSystem

/// A slot for one ping at a time. It is taken until the thread of the ping has returned. That may be long after the
/// caller has stopped waiting.
final class PingSlot: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [ObjectIdentifier: Promise<Void>] = [:]
    }

    private let state = Lock(State())

    /// Takes the slot as soon as an earlier ping has left it. A ping that returns slightly late must not count as two
    /// failures.
    ///
    /// - Throws: the result of `hung` if the slot is not free by the deadline.
    func take(until deadline: Deadline, orFail hung: () -> PingFailure) async throws(PingFailure) {
        while let left = takeOrQueue() {
            defer { state.withLock { $0.waiting[ObjectIdentifier(left)] = nil } }
            let timers = TimerQueue.system
            let limit = timers.clock.now.advanced(by: deadline.remaining)
            guard await left.value(until: limit, timers) != nil else { throw hung() }
        }
    }

    func leave() {
        let waiting = state.withLock { state in
            state.isTaken = false
            return Array(state.waiting.values)
        }
        for left in waiting { left.give(()) }
    }

    /// - Returns: a promise that is fulfilled when the slot is free; `nil` if the slot was free and is now taken.
    private func takeOrQueue() -> Promise<Void>? {
        state.withLock { state in
            guard state.isTaken else {
                state.isTaken = true
                return nil
            }
            let left = Promise<Void>()
            state.waiting[ObjectIdentifier(left)] = left
            return left
        }
    }
}
