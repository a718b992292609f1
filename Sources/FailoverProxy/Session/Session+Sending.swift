import FailoverCore
import Glibc

/// The result of sending bytes to one side.
enum Delivery {
    /// All bytes were sent.
    case sent
    /// Some or all bytes are buffered until the side accepts them.
    case kept
    /// `errno`. Bytes that were already buffered stay buffered.
    case failed(Int32)
}

/// Sending to either side: bytes are sent as far as the side accepts them, and the rest is buffered.
extension Session {
    /// Sends bytes after those that are buffered already.
    func deliver(_ bytes: UnsafeRawBufferPointer, to side: Side) -> Delivery {
        guard bytes.count > 0 else { return .sent }
        guard !hasPending(to: side) else {
            keep([UInt8](bytes), for: side)
            return .kept
        }
        let sent: Int
        switch send(bytes, to: side) {
        case .bytes(let count): sent = count
        case .wouldBlock, .ended: sent = 0
        case .failed(let code): return .failed(code)
        }
        guard sent < bytes.count else { return .sent }
        keep([UInt8](UnsafeRawBufferPointer(rebasing: bytes[sent...])), for: side)
        environment.memoryQueue.noteKept(bytes.count - sent)
        return .kept
    }

    func deliver(_ bytes: [UInt8], to side: Side) -> Delivery { bytes.withUnsafeBytes { deliver($0, to: side) } }

    /// - Returns: whether the session continues.
    func send(_ bytes: [UInt8], to side: Side) -> Bool {
        guard case .failed(let code) = deliver(bytes, to: side) else { return true }
        return sendFailed(side, code: code)
    }

    /// Sends the bytes that are buffered for the side.
    func sendPending(to side: Side) -> Transfer {
        switch side {
        case .client: toClient.pending.withRemaining { send($0, to: .client) }
        case .backend: toBackend.pending.withRemaining { send($0, to: .backend) }
        }
    }

    private func keep(_ bytes: [UInt8], for side: Side) {
        self[side.other].pending.append(bytes)
        countHeldBytes()
    }
}

/// The memory that a session uses for slow peers.
extension Session {
    /// The number of bytes to read at once from one side, so that little must be buffered. After a large read, it is
    /// the number that the other side accepts. 0 means that nothing can be read now.
    func readLimit(from side: Side) -> Int {
        let isExhausted = loop.buffers.isExhausted
        let isBulky = side == .client ? toBackend.isBulky : toClient.isBulky
        guard isExhausted || isBulky && !environment.memoryQueue.doubtsRoom else { return Flow.mostKept }
        let room = side == .client ? backend?.room ?? 0 : client.room
        if isExhausted, !toBackend.isUntracked { return room < Self.leastRead ? 0 : min(EventLoop.readSize, room) }
        return min(EventLoop.readSize, max(Flow.mostKept, room))
    }

    /// Reading less than this is not worth a system call.
    private static let leastRead = 4096

    /// Updates the process's buffer budget with the session's current use.
    func countHeldBytes() {
        // A closed session has returned its share.
        guard !isClosed || heldBytes != 0 else { return }
        let bytes = toBackend.pending.count + toClient.pending.count
        guard bytes != Int(heldBytes) else { return }
        loop.buffers.add(bytes - Int(heldBytes))
        heldBytes = Int32(clamping: bytes)
    }
}
