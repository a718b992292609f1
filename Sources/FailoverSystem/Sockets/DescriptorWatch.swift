import CLinux
import Glibc

/// Waits for any number of descriptors on one thread; epoll(7).
///
/// The thread runs until the process ends. It calls back at once, so callers need no threads of their own.
package final class DescriptorWatch: Sendable {
    private struct Entry {
        let descriptor: Int32
        let deadline: Deadline
        let call: @Sendable (SocketReadiness) -> Void
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var last: UInt64 = 0
        /// When the thread wakes up by itself.
        var wake: Deadline?
        /// The sockets whose connections are being ended.
        var drained: [(socket: Int32, deadline: Deadline)] = []
    }

    /// The token of ``wakeUp`` in the epoll set.
    private static let wakeUpToken: UInt64 = 0
    private static let sweepInterval = Duration.milliseconds(50)
    /// The maximum number of reads of one socket in a row.
    private static let mostReads = 16
    private static let running = Lock<DescriptorWatch?>(nil)

    private let epoll: Int32
    /// An eventfd that ends the thread's wait.
    private let wakeUp: Int32
    private let state = Lock(State())

    /// The watch of this process.
    ///
    /// - Throws: the system's error if the watch cannot be started.
    package static func shared() throws(SystemError) -> DescriptorWatch {
        try running.withLock { running throws(SystemError) in
            if let running { return running }
            let watch = try DescriptorWatch()
            try NativeThread.start(name: "watch") { watch.run() }
            running = watch
            return watch
        }
    }

    private init() throws(SystemError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .last(of: "epoll_create1") }
        wakeUp = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: Self.wakeUpToken))
        guard wakeUp >= 0, epoll_ctl(epoll, EPOLL_CTL_ADD, wakeUp, &event) == 0 else { throw .last(of: "eventfd") }
    }

    deinit {
        if epoll >= 0 { close(epoll) }
        if wakeUp >= 0 { close(wakeUp) }
    }

    /// Waits until the descriptor is ready for one of `events` of poll(2), or broken. It must stay open during the
    /// wait, and there must be no other wait for it here. If the waiting task is cancelled, the wait ends as if it had
    /// timed out.
    package func wait(for events: Int32, on descriptor: Int32, until deadline: Deadline) async -> SocketReadiness {
        // Often the descriptor is ready at once: a connection to this machine, or an answer that has arrived.
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        if poll(&entry, 1, 0) > 0 { return .ready }
        let token = newToken()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiting in
                once(events, on: descriptor, until: deadline, token) { waiting.resume(returning: $0) }
                if Task.isCancelled { cancel(token) }
            }
        } onCancel: {
            cancel(token)
        }
    }

    /// Ends the connection of a socket whose sending direction is shut down: reads what the peer still sends until it
    /// closes, or until the deadline, and closes the socket. Closing with unread bytes would send a reset, which
    /// servers log. No caller waits for this, so the thread checks all such sockets together, several times a second.
    package func drain(owning socket: Int32, until deadline: Deadline) {
        let isFirst = state.withLock { state in
            state.drained.append((socket, deadline))
            return state.drained.count == 1
        }
        if isFirst { eventfd_write(wakeUp, 1) }
    }

    /// Reads what the peer has sent, up to a limit. Returns whether the peer has closed or the deadline has passed.
    private static func isDrained(_ socket: Int32, until deadline: Deadline) -> Bool {
        for _ in 0..<mostReads where !deadline.hasPassed {
            let count = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
                recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            }
            if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { return true }
            if count < 0, errno == EAGAIN { return false }
        }
        return deadline.hasPassed
    }

    private func newToken() -> UInt64 {
        state.withLock { state in
            state.last += 1
            return state.last
        }
    }

    /// - Parameter call: called once, on the watch's thread or on this one. It must not block.
    private func once(
        _ events: Int32, on descriptor: Int32, until deadline: Deadline, _ token: UInt64,
        _ call: @escaping @Sendable (SocketReadiness) -> Void
    ) {
        // The events of poll(2) have the same numbers; epoll_ctl(2).
        var event = epoll_event(events: UInt32(events) | EPOLLONESHOT.rawValue, data: epoll_data_t(u64: token))
        let (error, isEarlier) = state.withLock { state -> (SystemError?, Bool) in
            guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
                return (.last(of: "epoll_ctl"), false)
            }
            state.entries[token] = Entry(descriptor: descriptor, deadline: deadline, call: call)
            guard state.wake.map({ deadline < $0 }) ?? true else { return (nil, false) }
            state.wake = deadline
            return (nil, true)
        }
        if let error { return call(.failed(error)) }
        if isEarlier { eventfd_write(wakeUp, 1) }
    }

    private func cancel(_ token: UInt64) { state.withLock { take(token, &$0) }?.call(.timedOut) }

    /// Removes the entry and returns it; `nil` if its wait has already ended.
    private func take(_ token: UInt64, _ state: inout State) -> Entry? {
        guard let entry = state.entries.removeValue(forKey: token) else { return nil }
        epoll_ctl(epoll, EPOLL_CTL_DEL, entry.descriptor, nil)
        return entry
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        var sweep = Deadline(.zero)
        while true {
            let milliseconds = state.withLock { state in
                state.wake = (state.entries.values.map(\.deadline) + (state.drained.isEmpty ? [] : [sweep])).min()
                return state.wake?.remainingMilliseconds ?? -1
            }
            let count = epoll_wait(epoll, &events, Int32(events.count), milliseconds)
            let tokens = events.prefix(max(0, Int(count))).map(\.data.u64)
            var number: eventfd_t = 0
            if tokens.contains(Self.wakeUpToken) { eventfd_read(wakeUp, &number) }
            let (ready, late) = state.withLock { state in
                let ready = tokens.compactMap { take($0, &state) }
                // If there are more events than `events` has room for, an entry without an event here may be ready, not
                // late.
                let isComplete = count < events.count
                let expired = isComplete ? state.entries.filter { $0.value.deadline.hasPassed }.keys.sorted() : []
                return (ready, expired.compactMap { take($0, &state) })
            }
            for entry in ready { entry.call(.ready) }
            for entry in late { entry.call(.timedOut) }
            if sweep.hasPassed {
                closeDrained()
                sweep = Deadline(Self.sweepInterval)
            }
        }
    }

    private func closeDrained() {
        let sockets = state.withLock { state in
            defer { state.drained = [] }
            return state.drained
        }
        let open = sockets.filter { socket, deadline in
            guard Self.isDrained(socket, until: deadline) else { return true }
            close(socket)
            return false
        }
        state.withLock { $0.drained += open }
    }
}
