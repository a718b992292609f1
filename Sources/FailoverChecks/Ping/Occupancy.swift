import FailoverCore
import FailoverSystem

/// A place for one ping at a time: taken until the thread of the ping has come back, which may be long after its caller
/// has given up.
final class Occupancy: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [ObjectIdentifier: Answer<Void>] = [:]
    }

    private let state = Lock(State())

    /// Takes the place, as soon as an earlier ping has left it: one that is a moment late must not count as two failures.
    ///
    /// - Throws: what `hung` says when it has not been left by the deadline.
    func take(until deadline: Deadline, orFail hung: @escaping @Sendable () -> PingFailure) async throws(PingFailure) {
        while let left = takeOrQueue() {
            defer { state.withLock { $0.waiting[ObjectIdentifier(left)] = nil } }
            try await left.take(within: deadline.remaining, orFail: hung)
        }
    }

    func leave() {
        let waiting = state.withLock { state in
            state.isTaken = false
            return Array(state.waiting.values)
        }
        for left in waiting { left.give(.success(())) }
    }

    /// - Returns: What is answered when the place has been left; `nil` when it was free and is taken now.
    private func takeOrQueue() -> Answer<Void>? {
        state.withLock { state in
            guard state.isTaken else {
                state.isTaken = true
                return nil
            }
            let left = Answer<Void>()
            state.waiting[ObjectIdentifier(left)] = left
            return left
        }
    }
}
