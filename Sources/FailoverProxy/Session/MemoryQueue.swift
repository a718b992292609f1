import FailoverCore

/// A session that may wait for buffer memory.
protocol MemoryWaiter: Pollable {
    var slot: Int { get }
    /// Whether the session is waiting.
    var waitsForMemory: Bool { get set }
}

/// The sessions of one loop that do not read because the buffer memory for slow peers is used up. Each session tries
/// again after a pause.
final class MemoryQueue: Pollable {
    private unowned let loop: EventLoop
    private var slot = -1
    /// Slots of sessions.
    private var waiting = Rounds<Int>()

    private static let pause: UInt64 = 20_000_000

    /// The time until which sockets of this loop may accept less than they report.
    private var roomIsDoubtedUntil: UInt64 = 0

    /// When the system has used up its TCP memory (tcp(7), `tcp_mem`), a socket accepts less than it reports. After
    /// that has happened, the loop's sessions do not rely on the reported space for ten seconds.
    private static let doubt: UInt64 = 10_000_000_000

    init(loop: EventLoop) { self.loop = loop }

    func add(_ session: some MemoryWaiter) {
        guard !session.waitsForMemory else { return }
        session.waitsForMemory = true
        if slot < 0 { slot = loop.admit(self) }
        if waiting.isEmpty { loop.setDeadline(loop.now &+ Self.pause, slot: slot) }
        waiting.add(session.slot)
    }

    /// A socket has accepted less than was read for it, and the rest is buffered.
    func noteKept(_ bytes: Int) {
        if bytes > Flow.mostKept { roomIsDoubtedUntil = loop.now &+ Self.doubt }
    }

    var doubtsRoom: Bool { loop.now < roomIsDoubtedUntil }

    func ready(_ readiness: Readiness, side: Side) {}
    func resume() {}

    func deadlinePassed() {
        for slot in waiting.nextTurn() {
            guard let session = loop.tenant(slot: slot) as? any MemoryWaiter, session.waitsForMemory else { continue }
            session.waitsForMemory = false
            session.resume()
        }
        loop.setDeadline(waiting.pause(betweenRounds: Self.pause).map { loop.now &+ $0 }, slot: slot)
    }
}
