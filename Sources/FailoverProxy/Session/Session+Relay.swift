import FailoverCore
import FailoverSystem
import Glibc

/// Relaying: bytes are received into the loop's buffer, sent at once, and buffered only while the other side does not
/// accept them.
extension Session {
    /// The maximum number of reads from one side before other sessions get their turn.
    private static let readsPerTurn = 16

    /// Relays bytes from `side`.
    ///
    /// - Parameter untilEnd: whether to read until no data is left, because the end of the stream may follow. A short
    ///   read then does not mean that nothing is left.
    func relay(from side: Side, untilEnd: Bool) {
        for _ in 0..<Self.readsPerTurn {
            guard canRead(from: side) else { return }
            let limit = readLimit(from: side)
            guard limit > 0 else { return environment.memoryQueue.add(self) }
            switch receive(from: side, atMost: limit) {
            case .bytes(let count):
                noteReceived(count, from: side)
                guard follow(count, from: side) else { return }
                if movesSince != nil, side == .backend, environment.mover?.moveBusy(self) == true { return }
                if count < limit, !untilEnd, !mayHaveMore(from: side) { return }
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

    /// `side` accepts data again: sends the buffered bytes, then reads its peer again.
    func flush(to side: Side) {
        guard hasPending(to: side) else { return }
        switch sendPending(to: side) {
        case .bytes(let count):
            self[side.other].pending.consume(count)
            countHeldBytes()
        case .wouldBlock, .ended: return
        case .failed(let code):
            // Before the backend has proven that it can serve, reading returns the cause.
            if machine.isRelaying { sendFailed(side, code: code) } else { toBackend.pending = PendingBytes() }
            return
        }
        guard self[side.other].pending.isEmpty, machine.isRelaying else { return }
        if toBackend.isUntracked, toClient.sourceEnded {
            leave(saying: [])
        } else if self[side.other].sourceEnded {
            finish(to: side)
        } else {
            relay(from: side.other, untilEnd: true)
        }
    }

    /// The flow that originates at a side.
    subscript(side: Side) -> Flow {
        get { side == .client ? toBackend : toClient }
        _modify { if side == .client { yield &toBackend } else { yield &toClient } }
    }

    // These three methods run for each message. With the subscript they would copy the flow.

    func hasPending(to side: Side) -> Bool {
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
        if isToBeWatched { environment.watch(self) }
        switch side {
        case .client:
            toBackend.received &+= UInt64(count)
            toBackend.isBulky = count >= Flow.mostKept
        case .backend:
            toClient.received &+= UInt64(count)
            toClient.isBulky = count >= Flow.mostKept
        }
    }

    /// Passes on the bytes that the backend sent before its proof.
    func passFirstBytes(_ bytes: [UInt8]) {
        toClient.received &+= UInt64(bytes.count)
        if case .guarded(let guarded) = stream {
            _ = perform(bytes.withUnsafeBytes { guarded.state.serverSent($0) }, guarded, asItIs: bytes, from: .backend)
            return
        }
        if case .guardedPostgres(let guarded) = stream {
            _ = follow(bytes, from: .backend, guarded)
            return
        }
        // A server may announce its shutdown in the same segment as its first answer.
        noteSigns(bytes.withUnsafeBytes { stream.sent($0, by: .backend) })
        learnKey()
        if case .failed(let code) = deliver(bytes, to: .client) { failed(.client, code: code) }
    }

    /// Tracks the protocol where the stream is readable, and passes the bytes on.
    ///
    /// - Returns: whether all bytes were sent.
    private func follow(_ count: Int, from side: Side) -> Bool {
        if let login = extras?.login { return follow(count, from: side, login) }
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(loop.readBuffer.bytes)[..<count])
        switch stream {
        case .opaque: break
        case .postgres, .mysql:
            let signs = stream.sent(bytes, by: side)
            if !signs.isEmpty { noteSigns(signs) }
            if awaitsKey, side == .backend { learnKey() }
        case .guarded(let guarded):
            return follow(bytes, from: side, guarded)
        case .guardedPostgres(let guarded):
            return follow(Array(bytes), from: side, guarded)
        }
        return pass(count, from: side)
    }

    /// - Returns: whether all bytes were sent.
    func pass(_ count: Int, from side: Side) -> Bool {
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(loop.readBuffer.bytes)[..<count])
        switch deliver(bytes, to: side.other) {
        case .sent: return true
        case .kept: return false
        case .failed(let code): return sendFailed(side.other, code: code)
        }
    }

    private func sourceEnded(_ side: Side) {
        if side == .backend, guardIsLeft() { return }
        if side == .client, extras?.login != nil {
            return close(because: "the client closed the connection before it was logged in")
        }
        if side == .backend, toBackend.isUntracked { return failed(side, code: EPIPE) }
        self[side].sourceEnded = true
        if side == .backend {
            noteBackendEnd()
            // The slots are released first: a client that sees the end may reconnect at once, on another loop.
            serverEnded()
        }
        if !isClosed { finish(to: side.other) }
    }

    /// Half-close: passes on the end of one direction. The session ends when both have ended.
    private func finish(to side: Side) {
        self[side.other].isFinished = true
        let isLast = self[side].isFinished
        // Without a closure alert, a peer within TLS regards the end of its stream as a failure.
        if !isLast || extras?[side] != nil { endSending(to: side) }
        if isLast { close(because: "both sides have closed") }
    }

    func failed(_ side: Side, code: Int32) {
        if side == .backend, !clientHasLeft {
            noteBackendError(code)
            if guardIsLeft() { return }
        }
        if side == .backend { return endAfterBackend(because: "backend: \(SystemError(code).message)") }
        close(because: "client: \(SystemError(code).message)")
    }
}
