import FailoverSystem
import Glibc

/// What a loop watches: a listener or a session.
protocol Pollable: AnyObject {
    /// The socket of that side is ready.
    func ready(_ readiness: Readiness, side: Side)
    /// The tenant's deadline has passed.
    func deadlinePassed()
    /// The tenant gave way to others in the midst of its work and may go on.
    func resume()
}

/// One epoll set, one buffer, deadlines. Lives on one thread; nothing in it is shared.
///
/// The mailbox that reaches it from other threads belongs to its owner.
final class EventLoop {
    private let epoll: Epoll
    // See `Session`: these are touched at each event.
    @exclusivity(unchecked) private var tenants = SlotTable<any Pollable>()
    private var deadlines = DeadlineQueue()
    private var unfinished: [Int] = []
    /// By slot, whether it is among the unfinished.
    private var isUnfinished: [Bool] = []
    private var isRunning = true

    /// What sessions read into, one after the other.
    let readBuffer = ReadBuffer(size: EventLoop.readSize)
    let buffers: BufferBudget
    /// Nanoseconds of the monotonic clock when the present round of events began.
    @exclusivity(unchecked) private(set) var now: UInt64

    /// Large enough that big results cost few system calls, small enough to stay in the processor's cache.
    static let readSize = 128 * 1024
    private static let mailboxToken = UInt64.max

    /// - Parameters:
    ///   - mailbox: the descriptor that becomes readable when there is mail.
    ///   - buffers: what the sessions of all loops may keep.
    init(mailbox: Int32, buffers: BufferBudget) throws(SystemError) {
        epoll = try Epoll()
        self.buffers = buffers
        now = Self.readClock()
        try epoll.add(mailbox, .readable, token: Self.mailboxToken)
    }

    /// Gives the tenant a slot.
    func admit(_ tenant: any Pollable) -> Int { tenants.insert(tenant) }

    /// The tenant leaves; its sockets are closed by itself.
    func dismiss(slot: Int) {
        deadlines.set(nil, forSlot: slot)
        tenants.remove(slot)
    }

    func watch(_ descriptor: Int32, _ interest: Readiness, slot: Int, side: Side) throws(SystemError) {
        try epoll.add(descriptor, interest, token: tenants.token(slot: slot, side: side))
    }

    func unwatch(_ descriptor: Int32) { epoll.remove(descriptor) }

    /// Sets the slot's deadline in nanoseconds of ``now``; `nil` removes it.
    func setDeadline(_ deadline: UInt64?, slot: Int) { deadlines.set(deadline, forSlot: slot) }

    /// Calls the tenant's `resume` after the others had their turn.
    func resumeLater(slot: Int) {
        guard slot >= 0 else { return }
        if slot >= isUnfinished.count {
            isUnfinished += repeatElement(false, count: slot + 1 - isUnfinished.count)
        }
        guard !isUnfinished[slot] else { return }
        isUnfinished[slot] = true
        unfinished.append(slot)
    }

    /// Who lives in the slot now.
    func tenant(slot: Int) -> (any Pollable)? { tenants[slot] }

    /// All tenants of this moment.
    var everyTenant: [any Pollable] { tenants.tenants }

    func stop() { isRunning = false }

    /// Runs until ``stop()``.
    ///
    /// - Parameter mail: called when the mailbox is readable.
    func run(_ mail: () -> Void) {
        while isRunning {
            let count = epoll.wait(milliseconds: patience)
            now = Self.readClock()
            handle(count, mail)
            resumeUnfinished()
            while let slot = deadlines.popExpired(now: now) { tenants[slot]?.deadlinePassed() }
        }
    }

    /// Those who arrive or speak come first, those who leave last: closing sockets is most of a short session's work,
    /// and nobody waits for it.
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
        guard let (tenant, side) = tenants.tenant(of: token) else { return }
        tenant.ready(readiness, side: side)
    }

    /// Slots of tenants that left meanwhile are free or have a new tenant, whom an extra look does not hurt.
    private func resumeUnfinished() {
        guard !unfinished.isEmpty else { return }
        let slots = unfinished
        unfinished.removeAll(keepingCapacity: true)
        for slot in slots {
            isUnfinished[slot] = false
            tenants[slot]?.resume()
        }
    }

    /// Milliseconds until the next thing to do, rounded up.
    private var patience: Int32 {
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
