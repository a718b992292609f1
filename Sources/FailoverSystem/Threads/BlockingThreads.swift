import CLinux
package import FailoverCore
import Glibc

/// Threads for calls that block: name look-up, C libraries, child processes.
///
/// Each call has a thread of its own, so one that hangs holds up no other. A thread whose call has returned serves
/// the next one, or ends after a while. None keeps the process from exiting.
package final class BlockingThreads: Sendable {
    private struct State {
        var queue: [@Sendable () -> Void] = []
        /// Threads that sleep and are not yet promised a call. Sleepers = idle + tokens not yet taken.
        var idle = 0
    }

    private let state = Lock(State())
    /// A socket pair as a semaphore: one byte for each call that a sleeping thread shall take.
    private let tokens: (give: Int32, take: Int32)
    private let idleMilliseconds: Int32

    /// C libraries look up names, read certificates and compute hashes on them; none of that needs more.
    private static let stackSize = 1 << 20

    /// - Parameter idleTime: how long a thread without work waits for more before it ends.
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
    /// Cancelling the waiting task ends the waiting, not the work.
    /// - Throws: what `work` throws; ``PingFailure/Reason/local`` when no thread can be had.
    package func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(PingFailure) -> Value
    ) async throws(PingFailure) -> Value {
        let answer = Answer<Value>()
        try start { answer.give(Result(catching: work)) }
        return try await answer.take()
    }

    /// The same, and leaves the work alone when it has not returned within `limit`.
    package func run<Value: Sendable>(
        within limit: Duration, orFail expired: @escaping @Sendable () -> PingFailure,
        _ work: @escaping @Sendable () throws(PingFailure) -> Value
    ) async throws(PingFailure) -> Value {
        let answer = Answer<Value>()
        try start { answer.give(Result(catching: work)) }
        return try await answer.take(within: limit, orFail: expired)
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
            throw PingFailure(.local, "cannot start a thread: \(error.words)")
        }
    }

    /// The life of a thread after its first call.
    private func serve() {
        while true {
            // A thread that has just finished takes a waiting call without sleeping. The sleeper that was promised it
            // then finds nothing, and is idle again.
            while let work = nextCall() { work() }
            while !sleep() {
                if leave() { return }
            }
        }
    }

    /// The next waiting call; `nil` if there is none, and the thread counts as idle from now on.
    private func nextCall() -> (@Sendable () -> Void)? {
        state.withLock { state in
            if state.queue.isEmpty {
                state.idle += 1
                return nil
            }
            return state.queue.removeFirst()
        }
    }

    /// Whether a token arrived within the idle time. Whoever takes one is not idle any more.
    private func sleep() -> Bool {
        var entry = pollfd(fd: tokens.take, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, idleMilliseconds)
        var token: UInt8 = 0
        return recv(tokens.take, &token, 1, Int32(MSG_DONTWAIT)) == 1
    }

    /// Whether the thread may end: there is a sleeper that is not promised a call, so it may be this one. If there is
    /// none, a token for this one is on its way.
    private func leave() -> Bool {
        state.withLock { state in
            guard state.idle > 0 else { return false }
            state.idle -= 1
            return true
        }
    }
}
