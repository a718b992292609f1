import FailoverCore

/// The places that a `max_connections` allows, and the sessions that wait for one in order of arrival. Shared by all
/// loops: a place that is left goes to the first in line, not to one that comes at that moment.
final class PlaceLine: Sendable {
    /// A session that waits.
    struct Waiter: Sendable {
        let session: UInt64
        /// Told once a place is its own; from any thread.
        let wake: @Sendable () -> Void
    }

    enum Answer {
        /// The place is the session's.
        case taken
        /// It will be told.
        case waits
        /// There is no place, and no room in the line.
        case full
    }

    private struct State {
        var taken = 0
        var limit: Int
        var line: [Waiter] = []
    }

    /// Sessions that may wait.
    static let longestLine = 1000

    private let state: Lock<State>

    /// - Parameter limit: `nil` is none.
    init(limit: Int?) { state = Lock(State(limit: limit ?? .max)) }

    /// Changes the number of places; a session that has one keeps it.
    func change(limit: Int?) {
        let awake = state.withLock { state in
            state.limit = limit ?? .max
            let free = min(max(0, state.limit - state.taken), state.line.count)
            defer { state.line.removeFirst(free) }
            state.taken += free
            return Array(state.line.prefix(free))
        }
        for waiter in awake { waiter.wake() }
    }

    /// Takes a place, or stands in line for one.
    ///
    /// - Parameter waiter: `nil` does not wait.
    func take(orWait waiter: @autoclosure () -> Waiter?) -> Answer {
        state.withLock { state in
            if state.line.isEmpty, state.taken < state.limit {
                state.taken += 1
                return .taken
            }
            guard state.line.count < Self.longestLine, let waiter = waiter() else { return .full }
            state.line.append(waiter)
            return .waits
        }
    }

    /// Takes a place if there is one.
    func take() -> Bool {
        if case .taken = take(orWait: nil) { true } else { false }
    }

    /// A session leaves its place, to the first in line if there is one.
    func leave() {
        let next = state.withLock { state -> Waiter? in
            guard !state.line.isEmpty, state.taken <= state.limit else {
                state.taken -= 1
                return nil
            }
            return state.line.removeFirst()
        }
        next?.wake()
    }

    /// The session waits no more. A place that it is about to be told of is still its own to leave.
    func forget(_ session: UInt64) { state.withLock { $0.line.removeAll { $0.session == session } } }
}
