import CLinux
package import FailoverCore
import Glibc

/// Threads for calls that block: name look-up, C libraries, child processes.
///
/// Each call has a thread of its own, so a call that hangs delays no other. After its call, a thread serves the next
/// one, or ends after a while. The threads do not keep the process from exiting.
package final class BlockingThreads: Sendable {
    private struct State {
        var queue: [@Sendable () -> Void] = []
        /// Sleeping threads that have no call assigned. Sleepers = idle + tokens not yet taken.
        var idle = 0
    }

    private let state = Lock(State())
    /// A socket pair as a semaphore: one byte for each call that a sleeping thread should take.
    private let tokens: (give: Int32, take: Int32)
    private let idleMilliseconds: Int32

    /// C libraries look up names, read certificates and compute hashes on these threads. None of that needs a larger
    /// stack.
    private static let stackSize = 1 << 20

    /// - Parameter idleTime: how long a thread without work waits before it ends.
    package init(idleTime: Duration = .seconds(10)) {
        var pair: [Int32] = [-1, -1]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair)
        tokens = (pair[0], pair[1])
        idleMilliseconds = Deadline(idleTime).remainingMilliseconds
    }

    deinit {
        close(tokens.give)
        close(tokens.take)
    }

    /// Runs `work` on a thread where it may block, and waits for its result.
    ///
    /// Cancelling the waiting task ends the wait, not the work.
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
        let isPromised = state.withLock { state in
            guard state.idle > 0 else { return false }
            state.idle -= 1
            state.queue.append(work)
            return true
        }
        if isPromised {
            while send(tokens.give, [1], 1, Int32(MSG_NOSIGNAL)) < 0 && errno == EINTR {}
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

    /// The life of a thread after its first call.
    private func serve() {
        while true {
            // A thread that has just finished takes a waiting call without sleeping. The sleeper that the call was
            // assigned to then finds none, and is idle again.
            while let work = nextCall() { work() }
            while !sleep() {
                if leave() { return }
            }
        }
    }

    /// The next waiting call; `nil` if there is none. Then the thread counts as idle.
    private func nextCall() -> (@Sendable () -> Void)? {
        state.withLock { state in
            if state.queue.isEmpty {
                state.idle += 1
                return nil
            }
            return state.queue.removeFirst()
        }
    }

    /// Whether a token arrived within the idle time. A thread that takes a token is no longer idle.
    private func sleep() -> Bool {
        var entry = pollfd(fd: tokens.take, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, idleMilliseconds)
        var token: UInt8 = 0
        return recv(tokens.take, &token, 1, Int32(MSG_DONTWAIT)) == 1
    }

    /// Whether the thread may end. It may if any sleeper has no call assigned, because that sleeper may be this
    /// thread. Otherwise a token for this thread is on its way.
    private func leave() -> Bool {
        state.withLock { state in
            guard state.idle > 0 else { return false }
            state.idle -= 1
            return true
        }
    }
}
