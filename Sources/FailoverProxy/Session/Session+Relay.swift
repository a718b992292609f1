import FailoverCore
import FailoverSystem
import Glibc

/// Passing bytes: received into the loop's buffer, sent at once, kept only while the other side pushes back.
extension Session {
    /// A side may keep its loop busy for that many reads before others have their turn.
    private static let readsPerTurn = 16

    /// Passes on what `side` sent.
    ///
    /// - Parameter untilEnd: the end of the stream may be waiting behind the data, so a short read proves nothing.
    func relay(from side: Side, untilEnd: Bool) {
        for _ in 0..<Self.readsPerTurn {
            guard canRead(from: side) else { return }
            let limit = readLimit(from: side)
            guard limit > 0 else { return worker.memoryQueue.add(self) }
            switch receive(from: side, atMost: limit) {
            case .bytes(let count):
                noteReceived(count, from: side)
                guard follow(count, from: side) else { return }
                if movesSince != nil, side == .backend, movedAtBoundary() { return }
                if count < limit, !untilEnd { return }
            case .wouldBlock:
                return
            case .ended:
                return sourceEnded(side)
            case .failed(let code):
                return failed(side, code: code)
            }
        }
        loop.resumeLater(slot: slot)
    }

    /// Ends a session that is to move and never rests.
    private func movedAtBoundary() -> Bool {
        guard let movingMoment, movingMoment.isRestless else { return false }
        return worker.moveIfPossible(self)
    }

    /// `side` has room again: what was kept goes out, then its peer is read again.
    func flush(to side: Side) {
        guard hasPending(to: side) else { return }
        switch send(pendingTo: side) {
        case .bytes(let count):
            self[side.other].pending.consume(count)
            countHeldBytes()
        case .wouldBlock, .ended: return
        case .failed(let code):
            // Of a backend that has not proven itself reading tells how it ended.
            if machine.isRelaying { sendFailed(side, code: code) } else { toBackend.pending = PendingBytes() }
            return
        }
        guard self[side.other].pending.isEmpty, machine.isRelaying else { return }
        if toBackend.isLost, toClient.sourceEnded {
            leave(saying: [])
        } else if self[side.other].sourceEnded {
            finish(to: side)
        } else {
            relay(from: side.other, untilEnd: true)
        }
    }

    /// The flow out of a side.
    subscript(side: Side) -> Flow {
        get { side == .client ? toBackend : toClient }
        _modify { if side == .client { yield &toBackend } else { yield &toClient } }
    }

    // Each message passes these three. Through the subscript they would copy the flow.

    private func hasPending(to side: Side) -> Bool {
        switch side {
        case .client: !toClient.pending.isEmpty
        case .backend: !toBackend.pending.isEmpty
        }
    }

    private func canRead(from side: Side) -> Bool {
        switch side {
        case .client: toBackend.mayRead
        case .backend: toClient.mayRead
        }
    }

    private func noteReceived(_ count: Int, from side: Side) {
        lastActivity = loop.now
        clientSpokeLast = side == .client
        if isToBeWatched { worker.watch(self) }
        switch side {
        case .client:
            toBackend.received &+= UInt64(count)
            toBackend.isBulky = count >= Flow.mostKept
        case .backend:
            toClient.received &+= UInt64(count)
            toClient.isBulky = count >= Flow.mostKept
        }
    }

    /// Passes on what the backend said before it was proven.
    func passOpening(_ bytes: [UInt8]) {
        toClient.received &+= UInt64(bytes.count)
        if case .guarded(let guarded) = stream {
            _ = perform(bytes.withUnsafeBytes { guarded.state.serverSent($0) }, guarded, asItIs: bytes, from: .backend)
            return
        }
        if case .guardedPostgres(let guarded) = stream {
            _ = follow(bytes, from: .backend, guarded)
            return
        }
        bytes.withUnsafeBytes { stream.sent($0, by: .backend) }
        // A server may say farewell in one breath with its welcome.
        noteWords(stream.heard)
        learnKey()
        switch client.send(bytes) {
        case .bytes(let sent): toClient.pending = PendingBytes(Array(bytes.dropFirst(sent)))
        case .wouldBlock, .ended: toClient.pending = PendingBytes(bytes)
        case .failed(let code): failed(.client, code: code)
        }
        if !isClosed { countHeldBytes() }
    }

    /// Follows what is said, where it can be read, and passes it on.
    ///
    /// - Returns: Whether all of it went out.
    private func follow(_ count: Int, from side: Side) -> Bool {
        if let login { return follow(count, from: side, login) }
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(loop.readBuffer.bytes)[..<count])
        switch stream {
        case .opaque: break
        case .postgres, .mysql:
            guard side == .backend else {
                stream.sent(bytes, by: side)
                break
            }
            let heard = stream.heard
            stream.sent(bytes, by: side)
            if stream.heard != heard { noteWords(stream.heard.subtracting(heard)) }
            if awaitsKey { learnKey() }
        case .guarded(let guarded):
            return follow(bytes, from: side, guarded)
        case .guardedPostgres(let guarded):
            return follow(Array(bytes), from: side, guarded)
        }
        return pass(count, from: side)
    }

    private func receive(from side: Side, atMost limit: Int) -> Transfer {
        switch side {
        case .client: client.receive(into: loop.readBuffer, atMost: limit)
        case .backend: backend?.receive(into: loop.readBuffer, atMost: limit) ?? .ended
        }
    }

    private func send(count: Int, to side: Side) -> Transfer {
        switch side {
        case .client: client.send(loop.readBuffer, count: count)
        case .backend: backend?.send(loop.readBuffer, count: count) ?? .failed(EPIPE)
        }
    }

    private func send(pendingTo side: Side) -> Transfer {
        switch side {
        case .client: client.send(toClient.pending)
        case .backend: backend?.send(toBackend.pending) ?? .failed(EPIPE)
        }
    }

    /// - Returns: Whether all of it went out.
    func pass(_ count: Int, from side: Side) -> Bool {
        let sent: Int
        switch send(count: count, to: side.other) {
        case .bytes(let bytes): sent = bytes
        case .wouldBlock, .ended: sent = 0
        case .failed(let code):
            return sendFailed(side.other, code: code)
        }
        guard sent < count else { return true }
        self[side].pending = PendingBytes(loop.readBuffer.copy(from: sent, to: count))
        worker.memoryQueue.noteKept(count - sent)
        countHeldBytes()
        return false
    }

    private func sourceEnded(_ side: Side) {
        if side == .backend, guardIsLeft() { return }
        if side == .client, login != nil { return close(because: "the client left before it was logged in") }
        if side == .backend, toBackend.isLost { return failed(side, code: EPIPE) }
        self[side].sourceEnded = true
        if side == .backend {
            noteBackendEnd()
            // First: a client that hears of the end may come again at once, on another loop.
            serverEnded()
        }
        if !isClosed { finish(to: side.other) }
    }

    /// Half-close: the end of one direction is passed on; the session ends with both.
    private func finish(to side: Side) {
        self[side.other].isFinished = true
        if self[side].isFinished { return close(because: "both sides have ended") }
        switch side {
        case .client: client.endSending()
        case .backend: backend?.endSending()
        }
    }

    func failed(_ side: Side, code: Int32) {
        if side == .backend, !clientHasLeft {
            noteBackendError(code)
            if guardIsLeft() { return }
        }
        if side == .backend { return endAfterBackend(because: "backend: \(SystemError(code).words)") }
        close(because: "client: \(SystemError(code).words)")
    }
}
