/// Sessions of one loop that read nothing because all memory for bytes that peers have no room for is taken: each is
/// tried again after a pause.
final class MemoryQueue: Pollable {
    private unowned let loop: EventLoop
    private var slot = -1
    /// Slots of sessions, and those of them that are left to be tried in this round.
    private var waiting: [Int] = []
    private var round: [Int] = []

    private static let pause: UInt64 = 20_000_000
    /// Sessions tried before others have their turn, and nanoseconds until the next are.
    private static let most = 256
    private static let breath: UInt64 = 1_000_000

    init(loop: EventLoop) { self.loop = loop }

    func add(_ session: Session) {
        guard !session.waitsForMemory else { return }
        session.waitsForMemory = true
        if slot < 0 { slot = loop.admit(self) }
        if waiting.isEmpty, round.isEmpty { loop.setDeadline(loop.now &+ Self.pause, slot: slot) }
        waiting.append(session.slot)
    }

    func ready(_ readiness: Readiness, side: Side) {}
    func resume() {}

    func deadlinePassed() {
        if round.isEmpty { (round, waiting) = (waiting, []) }
        for _ in 0..<min(Self.most, round.count) {
            let slot = round.removeLast()
            guard let session = loop.tenant(slot: slot) as? Session, session.waitsForMemory else { continue }
            session.waitsForMemory = false
            session.resume()
        }
        let pause = round.isEmpty ? Self.pause : Self.breath
        loop.setDeadline(round.isEmpty && waiting.isEmpty ? nil : loop.now &+ pause, slot: slot)
    }
}

extension Session {
    /// How much may be read at once of one side, so that little has to be kept when the other has no room: what it has
    /// room for, once it is more than a few messages. 0 is nothing, for now.
    func readLimit(from side: Side) -> Int {
        let isExhausted = loop.buffers.isExhausted
        let isBulky = side == .client ? toBackend.isBulky : toClient.isBulky
        guard isBulky || isExhausted else { return Flow.mostKept }
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
