import Dispatch
package import FailoverCore

/// Threads for calls that block: name look-up, C libraries, child processes.
///
/// Each call has a thread of its own, so a call that hangs does not delay others. After its call, a thread runs the
/// next one, or ends after `idleTime` without work. The threads do not prevent the process from exiting.
package final class BlockingThreads: Sendable {
    private struct State {
        /// Calls for which a thread was woken. Any thread may take them.
        var queue: [@Sendable () -> Void] = []
        /// The threads that sleep, the latest last. The latest is woken first, so that threads that are not needed can
        /// end.
        var sleepers: [DispatchSemaphore] = []
    }

    private let state = Lock(State())
    private let idleTime: Duration

    /// C libraries look up names, read certificates and compute hashes on these threads. None of that needs a larger
    /// stack.
    private static let stackSize = 1 << 20

    /// - Parameter idleTime: how long a thread without work waits before it ends.
    package init(idleTime: Duration = .seconds(10)) { self.idleTime = idleTime }

    /// Runs `work` on a thread where it may block, and waits for its result.
    ///
    /// If the waiting task is cancelled, the wait ends but the work continues.
    /// - Throws: the error of `work`; ``PingFailure/Reason/local`` if no thread can be started.
    package func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(PingFailure) -> Value
    ) async throws(PingFailure) -> Value {
        let result = Promise<Result<Value, PingFailure>>()
        try start { result.give(Result(catching: work)) }
        return try await result.take()
    }

    /// The same, but stops waiting if `work` has not returned within `limit`.
    package func run<Value: Sendable>(
        within limit: Duration, orFail expired: () -> PingFailure,
        _ work: @escaping @Sendable () throws(PingFailure) -> Value
    ) async throws(PingFailure) -> Value {
        let result = Promise<Result<Value, PingFailure>>()
        try start { result.give(Result(catching: work)) }
        return try await result.take(within: limit, orFail: expired)
    }

    /// Runs `work` on a thread where it may block, and returns at once.
    package func start(_ work: @escaping @Sendable () -> Void) throws(PingFailure) {
        let sleeper = state.withLock { state in
            let sleeper = state.sleepers.popLast()
            if sleeper != nil { state.queue.append(work) }
            return sleeper
        }
        if let sleeper {
            sleeper.signal()
            return
        }
        do {
            try NativeThread.start(name: "ping", stackSize: Self.stackSize) { [self] in
                work()
                serve()
            }
        } catch {
            throw PingFailure(.local, "cannot start a thread: \(error.message)")
        }
    }

    /// Runs further calls on this thread until it has been idle for too long.
    private func serve() {
        // Each thread has its own semaphore, so that a new call wakes only one thread.
        let wakeUp = DispatchSemaphore(value: 0)
        while true {
            // A thread that has just finished takes a waiting call without sleeping. The thread that was woken for this
            // call then finds none and sleeps again.
            while let work = nextCall(orSleepAs: wakeUp) { work() }
            while wakeUp.wait(timeout: .now() + .nanoseconds(Int(clamping: idleTime.nanoseconds))) == .timedOut {
                if leave(wakeUp) { return }
            }
        }
    }

    /// The next waiting call; `nil` if there is none. In that case the thread now counts as asleep.
    private func nextCall(orSleepAs wakeUp: DispatchSemaphore) -> (@Sendable () -> Void)? {
        state.withLock { state in
            if state.queue.isEmpty {
                state.sleepers.append(wakeUp)
                return nil
            }
            return state.queue.removeFirst()
        }
    }

    /// Whether the thread may end. If it is being woken, it must not end.
    private func leave(_ wakeUp: DispatchSemaphore) -> Bool {
        state.withLock { state in
            guard let index = state.sleepers.firstIndex(where: { $0 === wakeUp }) else { return false }
            state.sleepers.remove(at: index)
            return true
        }
    }
}
