import FailoverCore
import FailoverSystem

/// How far a ping has come: written by the thread that runs it, read by whoever gives up on it.
final class PingProgress: Sendable {
    private struct State {
        var stage = PingFailure.Stage.connecting
        var peer: String
    }

    private let limit: Duration
    private let state: Lock<State>

    /// - Parameter limit: the time limit of the whole ping, for the text of a failure.
    init(peer: String, limit: Duration) {
        self.limit = limit
        state = Lock(State(peer: peer))
    }

    var stage: PingFailure.Stage { state.withLock { $0.stage } }

    func reached(_ stage: PingFailure.Stage) { state.withLock { $0.stage = stage } }

    /// An attempt at the next address begins.
    func begin(_ peer: String) { state.withLock { $0 = State(peer: peer) } }

    /// The failure of a ping whose time is up now.
    var timeout: PingFailure {
        let state = state.withLock { $0 }
        return PingFailure(.timeout(state.stage), "\(state.peer) gave no answer within \(limit.text)")
    }
}
