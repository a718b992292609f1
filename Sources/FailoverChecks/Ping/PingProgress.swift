import FailoverCore
import FailoverSystem

/// How far a ping has come: written by the thread that runs it, read by whoever gives up on it.
final class PingProgress: Sendable {
    private struct State {
        var stage = PingFailure.Stage.connecting
        var peer: String
        /// What says most of the addresses that have failed.
        var failure: PingFailure?
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
    func begin(_ peer: String) { state.withLock { $0 = State(peer: peer, failure: $0.failure) } }

    /// So far this says most of the addresses that have failed.
    func failed(_ failure: PingFailure) { state.withLock { $0.failure = failure } }

    /// The failure of a ping whose driver does not come back in time: what an address has said before may say more.
    var failureAtTheLimit: PingFailure {
        let timeout = timeout
        guard let failure = state.withLock({ $0.failure }), failure.weight > timeout.weight else { return timeout }
        return failure
    }

    /// The failure of a ping whose time is up now.
    var timeout: PingFailure {
        let state = state.withLock { $0 }
        return PingFailure(.timeout(state.stage), "\(state.peer) gave no answer within \(limit.text)")
    }
}
