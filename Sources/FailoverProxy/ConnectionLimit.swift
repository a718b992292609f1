import FailoverCore
import FailoverSystem

/// The connection slots of one `max_connections`, and the queue of the sessions that wait for one, in order of arrival.
/// All loops share it. A freed slot goes to the first session in the queue, not to a session that arrives at that
/// moment.
final class ConnectionLimit: Sendable {
    /// A waiting session.
    struct Waiter: Sendable {
        let session: UInt64
        /// Called on any thread when the session has been given a slot.
        let wake: @Sendable () -> Void
    }

    enum Answer {
        /// The session has a slot.
        case taken
        /// The session is queued and will be woken.
        case waits
        /// No slot is free and the queue is full.
        case full
    }

    private struct State {
        var taken = 0
        var limit: Int
        var line: [Waiter] = []
    }

    /// The maximum length of the queue.
    static let longestLine = 1000

    private let state: Lock<State>

    /// - Parameter limit: `nil` is no limit.
    init(limit: Int?) { state = Lock(State(limit: limit ?? .max)) }

    /// Changes the number of slots. Sessions that hold one keep it.
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

    /// Takes a slot, or joins the queue.
    ///
    /// - Parameter waiter: `nil` if the session must not wait.
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

    /// Takes a slot if one is free.
    func take() -> Bool {
        if case .taken = take(orWait: nil) { true } else { false }
    }

    /// Frees a slot, which goes to the first session in the queue.
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

    /// Removes the session from the queue. If the session is already being given a slot, the caller must free that
    /// slot.
    func forget(_ session: UInt64) { state.withLock { $0.line.removeAll { $0.session == session } } }
}

/// The queue in which a session waits.
enum Line: Sendable {
    case route(Int)
    case alias(Int)
}
