import FailoverSystem
import Glibc

/// A tenant of an event loop: a listener, a session, or another object with sockets or a deadline.
protocol Pollable: AnyObject {
    /// The socket of that side is ready.
    func ready(_ readiness: Readiness, side: Side)
    /// The tenant's deadline has passed.
    func deadlinePassed()
    /// The tenant has paused so that other tenants got their turn, and may now continue.
    func resume()
}

/// An event loop: one epoll set, one buffer and deadlines. It runs on one thread and shares no state with others.
///
/// Other threads send messages to a mailbox, which belongs to the owner of the loop.
final class EventLoop {
    private let epoll: Epoll
    // Accessed at each event. See `Session`.
    @exclusivity(unchecked) private var hot = (tenants: SlotTable<any Pollable>(), now: readClock())
    private var deadlines = DeadlineQueue()
    private var unfinished: [Int] = []
    /// Whether a slot is in `unfinished`, by slot.
    private var isUnfinished: [Bool] = []
    private var isRunning = true

    /// The buffer that sessions read into, one at a time.
    let readBuffer = ReadBuffer(size: EventLoop.readSize)
    let buffers: BufferBudget
    /// The monotonic clock in nanoseconds, read at the beginning of the current round of events.
    var now: UInt64 { hot.now }

    /// The size is large enough that big results need few system calls, and small enough for the processor's cache.
    static let readSize = 128 * 1024
    private static let mailboxToken = UInt64.max

    /// - Parameters:
    ///   - mailbox: the descriptor that is readable while the mailbox holds messages.
    ///   - buffers: the buffer budget of all loops' sessions.
    init(mailbox: Int32, buffers: BufferBudget) throws(SystemError) {
        epoll = try Epoll()
        self.buffers = buffers
        try epoll.add(mailbox, .readable, token: Self.mailboxToken)
    }

    /// Gives the tenant a slot.
    func admit(_ tenant: any Pollable) -> Int { hot.tenants.insert(tenant) }

    /// Removes a tenant. The tenant closes its own sockets.
    func dismiss(slot: Int) {
        deadlines.set(nil, forSlot: slot)
        hot.tenants.remove(slot)
    }

    func watch(_ descriptor: Int32, _ interest: Readiness, slot: Int, side: Side) throws(SystemError) {
        try epoll.add(descriptor, interest, token: hot.tenants.token(slot: slot, side: side))
    }

    func unwatch(_ descriptor: Int32) { epoll.remove(descriptor) }

    /// Sets the slot's deadline in nanoseconds of ``now``; `nil` removes it.
    func setDeadline(_ deadline: UInt64?, slot: Int) { deadlines.set(deadline, forSlot: slot) }

    /// Calls the tenant's `resume` after other tenants have had their turn.
    func resumeLater(slot: Int) {
        guard slot >= 0 else { return }
        if slot >= isUnfinished.count {
            isUnfinished += repeatElement(false, count: slot + 1 - isUnfinished.count)
        }
        guard !isUnfinished[slot] else { return }
        isUnfinished[slot] = true
        unfinished.append(slot)
    }

    /// The current tenant of the slot.
    func tenant(slot: Int) -> (any Pollable)? { hot.tenants[slot] }

    /// All current tenants.
    var everyTenant: [any Pollable] { hot.tenants.tenants }

    func stop() { isRunning = false }

    /// Runs until ``stop()``.
    ///
    /// - Parameter mail: called when the mailbox is readable.
    func run(_ mail: () -> Void) {
        while isRunning {
            let count = epoll.wait(milliseconds: waitMilliseconds)
            hot.now = Self.readClock()
            handle(count, mail)
            resumeUnfinished()
            while let slot = deadlines.popExpired(now: now) { hot.tenants[slot]?.deadlinePassed() }
        }
    }

    /// Handles new connections and data first and closed connections last: closing sockets is most of the work of a
    /// short session, and no client waits for it.
    private func handle(_ count: Int, _ mail: () -> Void) {
        var leaving = 0
        for index in 0..<count {
            let (token, readiness) = epoll.event(index)
            if token == Self.mailboxToken {
                mail()
            } else if readiness.isDisjoint(with: .peerEnded) {
                notify(token, readiness)
            } else {
                leaving += 1
            }
        }
        guard leaving > 0 else { return }
        for index in 0..<count {
            let (token, readiness) = epoll.event(index)
            if token != Self.mailboxToken, !readiness.isDisjoint(with: .peerEnded) { notify(token, readiness) }
        }
    }

    private func notify(_ token: UInt64, _ readiness: Readiness) {
        guard let (tenant, side) = hot.tenants.tenant(of: token) else { return }
        tenant.ready(readiness, side: side)
    }

    /// If a tenant has left, its slot is free or has a new tenant. An additional `resume` does not harm the new tenant.
    private func resumeUnfinished() {
        guard !unfinished.isEmpty else { return }
        let slots = unfinished
        unfinished.removeAll(keepingCapacity: true)
        for slot in slots {
            isUnfinished[slot] = false
            hot.tenants[slot]?.resume()
        }
    }

    /// Milliseconds until the next work is due, rounded up; -1 if there is none.
    private var waitMilliseconds: Int32 {
        guard unfinished.isEmpty else { return 0 }
        guard let deadline = deadlines.first else { return -1 }
        guard deadline > now else { return 0 }
        return Int32(clamping: (deadline - now - 1) / 1_000_000 + 1)
    }

    static func readClock() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
