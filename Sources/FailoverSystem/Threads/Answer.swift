package import FailoverCore

/// One value that a thread gives and an async caller takes, or the caller's time limit, whichever is first.
package final class Answer<Value: Sendable>: Sendable {
    package typealias Outcome = Result<Value, PingFailure>

    private enum State {
        case open
        case waiting(CheckedContinuation<Outcome, Never>)
        /// Goes nowhere: what is given first stays.
        case given(Outcome)
    }

    private let state = Lock(State.open)

    package init() {}

    /// Answers; without effect when there is an answer already.
    package func give(_ outcome: Outcome) {
        let waiter = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            switch state {
            case .given: return nil
            case .open:
                state = .given(outcome)
                return nil
            case .waiting(let continuation):
                state = .given(outcome)
                return continuation
            }
        }
        waiter?.resume(returning: outcome)
    }

    /// Waits for the answer. At most one caller may wait.
    package func take() async throws(PingFailure) -> Value {
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Outcome? in
                    if case .given(let outcome) = state { return outcome }
                    state = .waiting(continuation)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            give(.failure(PingFailure(.other, "the ping was cancelled")))
        }
        return try outcome.get()
    }

    /// Waits for the answer for `limit`, then fails with what `expired` says.
    package func take(
        within limit: Duration, orFail expired: @escaping @Sendable () -> PingFailure
    ) async throws(PingFailure) -> Value {
        let timer = Task {
            do { try await ContinuousClock().sleep(for: limit) } catch { return }
            give(.failure(expired()))
        }
        defer { timer.cancel() }
        return try await take()
    }
}
