import CLinux
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
