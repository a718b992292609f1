import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// What a descriptor is ready for.
struct Readiness: OptionSet {
    let rawValue: UInt32

    static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer has ended its direction, or the connection broke: reading goes on until it says so.
    static let peerEnded = Readiness(rawValue: EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue)
    /// Both directions are over.
    static let broken = Readiness(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
    static let edgeTriggered = Readiness(rawValue: CLINUX_EPOLLET)

    /// How sockets of sessions are watched: once, for everything, an event for each change.
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

    /// Stops watching a descriptor that stays open. Closing one needs no call.
    func remove(_ descriptor: Int32) {
        epoll_ctl(self.descriptor.raw, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Waits for events.
    ///
    /// - Parameter milliseconds: the longest wait; -1 is for ever.
    /// - Returns: How many there are.
    func wait(milliseconds: Int32) -> Int {
        max(0, Int(epoll_wait(descriptor.raw, events.baseAddress, Int32(events.count), milliseconds)))
    }

    /// One of the events of the latest wait.
    func event(_ index: Int) -> (token: UInt64, readiness: Readiness) {
        (events[index].data.u64, Readiness(rawValue: events[index].events))
    }
}

/// Messages to a loop from any thread. The loop's epoll set watches the descriptor; posting never waits.
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
