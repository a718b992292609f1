import FailoverCore
import Glibc

/// A session that is kept from writing.
extension Session {
    /// Follows what is said and passes on what may pass.
    ///
    /// - Returns: whether the side may be read on.
    func follow(_ bytes: UnsafeRawBufferPointer, from side: Side, _ guarded: GuardedMySQL) -> Bool {
        let heard = stream.heard
        let passage = side == .client ? guarded.state.clientSent(bytes) : guarded.state.serverSent(bytes)
        if stream.heard != heard { noteWords(stream.heard.subtracting(heard)) }
        if passage.asItIs, guarded.state.phase == .following { return pass(bytes.count, from: side) }
        return perform(passage, guarded, asItIs: Array(bytes), from: side)
    }

    /// Sends what the guard lets pass, and waits for the server to be told.
    ///
    /// - Returns: whether the side may be read on.
    func perform(
        _ passage: MySQLGuard.Passage, _ guarded: GuardedMySQL, asItIs: [UInt8], from side: Side
    ) -> Bool {
        // What a server says to the end of its client is no answer (MySQL: 4031), and whoever has ended writes no more.
        let isFarewell = side == .backend && clientHasLeft && passage.toServer.isEmpty
        if let refusal = passage.refusal {
            if isFarewell {
                close(because: "the client has left")
            } else if send(passage.toClient, to: .client) {
                endUnguarded(refusal)
            }
            return false
        }
        let toServer = passage.asItIs && side == .client ? asItIs : passage.toServer
        let toClient = passage.asItIs && side == .backend ? asItIs : passage.toClient
        defer { countHeldBytes() }
        guard send(toServer, to: .backend), send(toClient, to: .client) else { return false }
        if guarded.state.phase == .over {
            stream = .opaque
            if guarded.state.isLost, !isFarewell { worker.noteUnguarded(self) }
        }
        wait(for: guarded)
        return self[side].mayRead
    }

    private func wait(for guarded: GuardedMySQL) {
        let isSetting = guarded.state.phase == .setting
        if isSetting != guarded.isAwaited {
            guarded.isAwaited = isSetting
            if isSetting {
                loop.setDeadline(loop.now &+ settings.openingLimits.greeting, slot: slot)
            } else if watchesBackend {
                closeIfIdle()
            } else {
                awaitAge()
            }
        }
        let wasHeld = toBackend.isHeld
        toBackend.isHeld = !guarded.state.wantsClient
        if wasHeld, !toBackend.isHeld { loop.resumeLater(slot: slot) }
    }

    /// - Returns: whether the session goes on.
    func send(_ bytes: [UInt8], to side: Side) -> Bool {
        guard !bytes.isEmpty else { return true }
        guard self[side.other].pending.isEmpty else {
            self[side.other].pending.append(bytes)
            return true
        }
        switch side == .client ? client.send(bytes) : backend?.send(bytes) ?? .failed(EPIPE) {
        case .bytes(let sent): self[side.other].pending = PendingBytes(Array(bytes.dropFirst(sent)))
        case .wouldBlock, .ended: self[side.other].pending = PendingBytes(bytes)
        case .failed(let code): return sendFailed(side, code: code)
        }
        return true
    }
}

// MARK: - The server does not keep to reading

extension Session {
    /// Whether the server is being told, and the session's deadline is that of its answer.
    var guardAwaitsServer: Bool {
        switch stream {
        case .guarded(let guarded): guarded.isAwaited
        case .guardedPostgres(let guarded): guarded.isAwaited && guarded.state.phase == .setting
        case .opaque, .postgres, .mysql: false
        }
    }

    /// The server was to be told, and the time for its answer is over.
    func guardIsLate() -> Bool {
        if guardAwaitsServer, !toClient.pending.isEmpty || waitsForMemory {
            // It was not listened to.
            loop.setDeadline(loop.now &+ settings.openingLimits.greeting, slot: slot)
            return true
        }
        if case .guardedPostgres(let guarded) = stream, guarded.state.phase == .setting {
            worker.noteFailure(.greetingTimeout, session: self, detail: "no answer to \(PostgresGuard.statement)")
            return guardEnds(guarded, "it said nothing in time")
        }
        guard case .guarded(let guarded) = stream, guarded.state.phase == .setting else { return false }
        worker.noteFailure(.greetingTimeout, session: self, detail: "no answer to SET SESSION TRANSACTION READ ONLY")
        return guardEnds("it said nothing in time")
    }

    /// The server was to be told, and has closed.
    func guardIsLeft() -> Bool { guardEnds("it closed") }

    private func guardEnds(_ words: String) -> Bool {
        if case .guardedPostgres(let guarded) = stream { return guardEnds(guarded, words) }
        guard case .guarded(let guarded) = stream, let passage = guarded.state.serverIsSilent(words) else {
            return false
        }
        if let refusal = passage.refusal {
            endUnguarded(refusal)
        } else {
            leave(saying: passage.toClient)
        }
        return true
    }

    private func endUnguarded(_ refusal: MySQLGuard.Refusal) {
        if refusal.code == MySQLReader.shutdownCode { noteWords(.shutdown) }
        let message = worker.refusal(unguarded: self, because: refusal.words)
        if refusal.isBeforeLogin { leaveBackendBeforeLogin() }
        if refusal.isForTLS { return leave(saying: TLSAlert.accessDenied) }
        guard let sequence = refusal.sequence, toClient.pending.isEmpty else { return close(because: message) }
        leave(saying: MySQLErrorPacket(code: 1105, sqlState: "HY000", message: message, sequence: sequence).bytes)
    }
}
