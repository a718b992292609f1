import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// What a descriptor is ready for.
struct Readiness: OptionSet {
    let rawValue: UInt32

    static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer has closed its sending direction, or the connection is broken. Reading returns the end or the error.
    static let peerEnded = Readiness(rawValue: EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue)
    /// Both directions are closed.
    static let broken = Readiness(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
    static let edgeTriggered = Readiness(rawValue: CLINUX_EPOLLET)

    /// Sockets of sessions are registered once, for all events, edge-triggered.
    static let session: Readiness = [
        .readable, .writable, Readiness(rawValue: EPOLLRDHUP.rawValue), .edgeTriggered,
    ]
}

/// An epoll set; epoll(7).
struct Epoll: ~Copyable {
    private let descriptor: Descriptor
    private let events: UnsafeMutableBufferPointer<epoll_event>

    init() throws(SystemError) {
        let raw = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard raw >= 0 else { throw .last(of: "epoll_create1") }
        descriptor = Descriptor(owning: raw)
        events = .allocate(capacity: 256)
    }

    deinit { events.deallocate() }

    func add(_ descriptor: Int32, _ interest: Readiness, token: UInt64) throws(SystemError) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
        guard epoll_ctl(self.descriptor.raw, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            throw .last(of: "epoll_ctl")
        }
    }

    /// Stops watching a descriptor that stays open. A closed descriptor needs no call.
    func remove(_ descriptor: Int32) {
        epoll_ctl(self.descriptor.raw, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Waits for events.
    ///
    /// - Parameter milliseconds: the longest wait; -1 waits without a limit.
    /// - Returns: the number of events.
    func wait(milliseconds: Int32) -> Int {
        max(0, Int(epoll_wait(descriptor.raw, events.baseAddress, Int32(events.count), milliseconds)))
    }

    /// An event of the latest wait.
    func event(_ index: Int) -> (token: UInt64, readiness: Readiness) {
        (events[index].data.u64, Readiness(rawValue: events[index].events))
    }
}

/// Messages to a loop from any thread. The loop's epoll set watches the descriptor. Posting never blocks.
final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Lock<[Message]>([])
    private let wake: Descriptor

    init() throws(SystemError) {
        let raw = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard raw >= 0 else { throw .last(of: "eventfd") }
        wake = Descriptor(owning: raw)
    }

    /// Readable while messages wait.
    var descriptor: Int32 { wake.raw }

    func post(_ message: Message) {
        let isFirst = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        if isFirst { eventfd_write(wake.raw, 1) }
    }

    /// Takes all messages, in the order in which they were posted.
    func takeAll() -> [Message] {
        var count: eventfd_t = 0
        eventfd_read(wake.raw, &count)
        return messages.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }
}
