import FailoverCore
import FailoverSystem

/// A place for one ping at a time: taken until the thread of the ping has come back, which may be long after its caller
/// has given up.
final class PingSlot: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [ObjectIdentifier: Promise<Void>] = [:]
    }

    private let state = Lock(State())

    /// Takes the place, as soon as an earlier ping has left it: one that is a moment late must not count as two failures.
    ///
    /// - Throws: what `hung` says when it has not been left by the deadline.
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

    /// - Returns: What is answered when the place has been left; `nil` when it was free and is taken now.
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
