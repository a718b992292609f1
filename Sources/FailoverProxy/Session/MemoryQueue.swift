/// Sessions of one loop that read nothing because all memory for bytes that peers have no room for is taken: each is
/// tried again after a pause.
final class MemoryQueue: Pollable {
    private unowned let loop: EventLoop
    private var slot = -1
    /// Slots of sessions.
    private var waiting = Rounds<Int>()

    private static let pause: UInt64 = 20_000_000

    /// Until when sockets of this loop may take less than they say.
    private var roomIsDoubtedUntil: UInt64 = 0

    /// A system that has used up its memory for TCP (tcp(7), `tcp_mem`) takes less than a socket has room for, and tells
    /// nobody: once it has done so, the loop's sessions count on no room for ten seconds.
    private static let doubt: UInt64 = 10_000_000_000

    init(loop: EventLoop) { self.loop = loop }

    func add(_ session: Session) {
        guard !session.waitsForMemory else { return }
        session.waitsForMemory = true
        if slot < 0 { slot = loop.admit(self) }
        if waiting.isEmpty { loop.setDeadline(loop.now &+ Self.pause, slot: slot) }
        waiting.add(session.slot)
    }

    /// A socket has taken less than what was read for it, and the rest is kept.
    func noteKept(_ bytes: Int) {
        if bytes > Flow.mostKept { roomIsDoubtedUntil = loop.now &+ Self.doubt }
    }

    var doubtsRoom: Bool { loop.now < roomIsDoubtedUntil }

    func ready(_ readiness: Readiness, side: Side) {}
    func resume() {}

    func deadlinePassed() {
        for slot in waiting.nextTurn() {
            guard let session = loop.tenant(slot: slot) as? Session, session.waitsForMemory else { continue }
            session.waitsForMemory = false
            session.resume()
        }
        loop.setDeadline(waiting.pause(betweenRounds: Self.pause).map { loop.now &+ $0 }, slot: slot)
    }
}

extension Session {
    /// How much may be read at once of one side, so that little has to be kept when the other has no room: what it has
    /// room for, once it is more than a few messages. 0 is nothing, for now.
    func readLimit(from side: Side) -> Int {
        let isExhausted = loop.buffers.isExhausted
        let isBulky = side == .client ? toBackend.isBulky : toClient.isBulky
        guard isExhausted || isBulky && !worker.memoryQueue.doubtsRoom else { return Flow.mostKept }
        let room = side == .client ? backend?.room ?? 0 : client.room
        if isExhausted, !toBackend.isLost { return room < Self.leastRead ? 0 : min(EventLoop.readSize, room) }
        return min(EventLoop.readSize, max(Flow.mostKept, room))
    }

    /// Less than that is not worth a system call.
    private static let leastRead = 4096

    /// Tells the process's budget what the session keeps now.
    func countHeldBytes() {
        // What it kept has been given back.
        guard !isClosed || heldBytes != 0 else { return }
        let bytes = toBackend.pending.count + toClient.pending.count
        guard bytes != Int(heldBytes) else { return }
        loop.buffers.add(bytes - Int(heldBytes))
        heldBytes = Int32(clamping: bytes)
    }
}
