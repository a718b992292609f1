package import FailoverCore

/// One value that any thread gives, once, and that one task at a time waits for.
package final class Promise<Value: Sendable>: Sendable {
    private enum State {
        case open
        /// The number tells a waiting from later ones.
        case waiting(number: UInt64, CheckedContinuation<Value?, Never>)
        /// Goes nowhere: what is given first stays.
        case given(Value)
    }

    private struct Held {
        var state = State.open
        var number: UInt64 = 0
    }

    private let held = Lock(Held())

    package init() {}

    /// Gives the value; without effect when there is one already.
    package func give(_ value: Value) {
        let waiting = held.withLock { held -> CheckedContinuation<Value?, Never>? in
            switch held.state {
            case .given: return nil
            case .open:
                held.state = .given(value)
                return nil
            case .waiting(_, let continuation):
                held.state = .given(value)
                return continuation
            }
        }
        waiting?.resume(returning: value)
    }

    /// Waits for the value; `nil` when the waiting task is cancelled. The next to wait may still get it.
    package func value() async -> Value? { await value { _ in } }

    /// The same; `nil` also when the value has not come by then.
    package func value(until time: MonotonicTime, _ timers: TimerQueue) async -> Value? {
        var timer: TimerQueue.Timer?
        defer { if let timer { timers.cancel(timer) } }
        return await value { number in
            timer = timers.schedule(at: time) { [weak self] in self?.giveUp(number) }
        }
    }

    /// - Parameter began: told the number of the waiting once it has begun; not when the value is there.
    private func value(_ began: (UInt64) -> Void) async -> Value? {
        let number = held.withLock { held in
            held.number += 1
            return held.number
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let value = held.withLock { held -> Value?? in
                    if case .given(let value) = held.state { return .some(value) }
                    if Task.isCancelled { return .some(nil) }
                    held.state = .waiting(number: number, continuation)
                    return nil
                }
                if let value { continuation.resume(returning: value) } else { began(number) }
            }
        } onCancel: {
            giveUp(number)
        }
    }

    private func giveUp(_ number: UInt64) {
        let waiting = held.withLock { held -> CheckedContinuation<Value?, Never>? in
            guard case .waiting(number, let continuation) = held.state else { return nil }
            held.state = .open
            return continuation
        }
        waiting?.resume(returning: nil)
    }
}

/// What a thread finds out for a ping.
extension Promise {
    /// Waits for the result.
    ///
    /// - Throws: the result's failure; ``PingFailure/Reason/other`` when the waiting task is cancelled.
    package func take<Result>() async throws(PingFailure) -> Result where Value == Swift.Result<Result, PingFailure> {
        guard let result = await value() else { throw .cancelled }
        return try result.get()
    }

    /// The same for `limit`, then fails with what `expired` says.
    package func take<Result>(
        within limit: Duration, orFail expired: () -> PingFailure
    ) async throws(PingFailure) -> Result where Value == Swift.Result<Result, PingFailure> {
        let timers = TimerQueue.system
        guard let result = await value(until: timers.clock.now.advanced(by: limit), timers) else {
            throw Task.isCancelled ? .cancelled : expired()
        }
        return try result.get()
    }
}

extension PingFailure {
    fileprivate static let cancelled = PingFailure(.other, "the ping was cancelled")
}
