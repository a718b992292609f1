package import FailoverCore

/// A value that any thread can set once. One task at a time can wait for it.
package final class Promise<Value: Sendable>: Sendable {
    private enum State {
        case open
        /// The number distinguishes one wait from later ones.
        case waiting(number: UInt64, CheckedContinuation<Value?, Never>)
        /// The first value stays, unless it is removed.
        case given(Value)
        /// Final state: the value was removed.
        case removed
    }

    private struct Held {
        var state = State.open
        var number: UInt64 = 0
    }

    private let held = Lock(Held())

    package init() {}

    /// Sets the value. This has no effect if there is a value already.
    package func give(_ value: Value) { _ = offer(value) }

    /// Sets the value if there is none yet.
    ///
    /// - Returns: whether there was none.
    package func offer(_ value: Value) -> Bool {
        let (isFirst, waiting) = held.withLock { held -> (Bool, CheckedContinuation<Value?, Never>?) in
            switch held.state {
            case .given, .removed: return (false, nil)
            case .open:
                held.state = .given(value)
                return (true, nil)
            case .waiting(_, let continuation):
                held.state = .given(value)
                return (true, continuation)
            }
        }
        waiting?.resume(returning: value)
        return isFirst
    }

    /// The value, which this object then no longer holds; `nil` if there is none. No other value can be set later.
    package func remove() -> Value? {
        held.withLock { held in
            guard case .given(let value) = held.state else { return nil }
            held.state = .removed
            return value
        }
    }

    /// The value; `nil` if there is none yet.
    package var given: Value? {
        held.withLock { held in if case .given(let value) = held.state { value } else { nil } }
    }

    /// Waits for the value; `nil` if the waiting task is cancelled. A later wait can still get the value.
    package func value() async -> Value? { await value { _ in } }

    /// Waits for the value; `nil` if there is none at `time`, or if the waiting task is cancelled.
    package func value(until time: MonotonicTime, _ timers: TimerQueue) async -> Value? {
        var timer: TimerQueue.Timer?
        defer { if let timer { timers.cancel(timer) } }
        return await value { number in
            timer = timers.schedule(at: time) { [weak self] in self?.giveUp(number) }
        }
    }

    /// - Parameter began: called with the number of the wait once it has begun; not called if there is a value already.
    private func value(_ began: (UInt64) -> Void) async -> Value? {
        let number = held.withLock { held in
            held.number += 1
            return held.number
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let value = held.withLock { held -> Value?? in
                    switch held.state {
                    case .given(let value): return .some(value)
                    case .removed: return .some(nil)
                    case .open, .waiting: break
                    }
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

/// Results that a thread produces for a ping.
extension Promise {
    /// Waits for the result.
    ///
    /// - Throws: the result's failure; ``PingFailure/Reason/other`` if the waiting task is cancelled.
    package func take<Result>() async throws(PingFailure) -> Result where Value == Swift.Result<Result, PingFailure> {
        guard let result = await value() else { throw .cancelled }
        return try result.get()
    }

    /// Waits for the result for at most `limit`. After that, it throws the failure of `expired`.
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
