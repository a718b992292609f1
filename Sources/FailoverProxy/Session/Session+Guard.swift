import FailoverCore
import Glibc

/// A session with a read-only guard.
extension Session {
    /// Reads the bytes of one side and passes on what the guard allows.
    ///
    /// - Returns: whether to continue reading from this side.
    func follow(_ bytes: UnsafeRawBufferPointer, from side: Side, _ guarded: GuardedMySQL) -> Bool {
        let passage = passage(of: bytes, from: side, guarded)
        if passage.asItIs, guarded.state.phase == .following { return pass(bytes.count, from: side) }
        return perform(passage, guarded, asItIs: Array(bytes), from: side)
    }

    /// Lets the guard read the bytes of one side.
    func passage(
        of bytes: UnsafeRawBufferPointer, from side: Side, _ guarded: GuardedMySQL
    ) -> MySQLGuard.GuardOutput {
        let heard = guarded.state.reader.heard
        let passage = side == .client ? guarded.state.clientSent(bytes) : guarded.state.serverSent(bytes)
        noteSigns(guarded.state.reader.heard.subtracting(heard))
        return passage
    }

    /// Sends what the guard allows, and waits while the server makes the session read-only.
    ///
    /// - Returns: whether to continue reading from this side.
    func perform(
        _ passage: MySQLGuard.GuardOutput, _ guarded: GuardedMySQL, asItIs: [UInt8], from side: Side
    ) -> Bool {
        // When the client has left, a message of the server is not an answer (MySQL: 4031), and the client can write
        // nothing more.
        let isFarewell = side == .backend && clientHasLeft && passage.toServer.isEmpty
        if let refusal = passage.refusal {
            if isFarewell {
                close(because: "the client has closed the connection")
            } else if send(passage.toClient, to: .client) {
                endUnguarded(refusal)
            }
            return false
        }
        let toServer = passage.asItIs && side == .client ? asItIs : passage.toServer
        let toClient = passage.asItIs && side == .backend ? asItIs : passage.toClient
        guard send(toServer, to: .backend), send(toClient, to: .client) else { return false }
        if guarded.state.phase == .over {
            stream = .opaque
            if guarded.state.isUntracked, !isFarewell { environment.noteUnguarded(self) }
        }
        wait(for: guarded)
        return self[side].mayRead
    }

    private func wait(for guarded: GuardedMySQL) {
        let isSetting = guarded.state.phase == .setting
        if isSetting != guarded.isAwaited {
            guarded.isAwaited = isSetting
            if isSetting {
                loop.setDeadline(loop.now &+ settings.handshakeLimits.greeting, slot: slot)
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

}

// MARK: - The session cannot be made read-only

extension Session {
    /// Whether the server is making the session read-only, and the session's deadline is the one for the server's
    /// answer.
    var guardAwaitsServer: Bool {
        switch stream {
        case .guarded(let guarded): guarded.isAwaited
        case .guardedPostgres(let guarded): guarded.isAwaited && guarded.state.phase == .setting
        case .opaque, .postgres, .mysql: false
        }
    }

    /// The time limit for the server's answer to the guard has passed.
    func guardIsLate() -> Bool {
        if guardAwaitsServer, !toClient.pending.isEmpty || waitsForMemory {
            // The server's answer could not be read in the meantime.
            loop.setDeadline(loop.now &+ settings.handshakeLimits.greeting, slot: slot)
            return true
        }
        if case .guardedPostgres(let guarded) = stream, guarded.state.phase == .setting {
            environment.noteFailure(.greetingTimeout, session: self, detail: "no answer to \(PostgresGuard.statement)")
            return guardEnds(guarded, "no answer from the server in time")
        }
        guard case .guarded(let guarded) = stream, guarded.state.phase == .setting else { return false }
        environment.noteFailure(
            .greetingTimeout, session: self, detail: "no answer to SET SESSION TRANSACTION READ ONLY")
        return guardEnds("no answer from the server in time")
    }

    /// The server closed the connection before it answered the guard.
    func guardIsLeft() -> Bool { guardEnds("the server closed the connection") }

    private func guardEnds(_ message: String) -> Bool {
        if case .guardedPostgres(let guarded) = stream { return guardEnds(guarded, message) }
        guard case .guarded(let guarded) = stream, let passage = guarded.state.serverIsSilent(message) else {
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
        if refusal.code == MySQLReader.shutdownCode { noteSigns(.shutdown) }
        let message = environment.refusal(unguarded: self, because: refusal.message)
        if refusal.isBeforeLogin { leaveBackendBeforeLogin() }
        if refusal.isForTLS { return leave(saying: TLSAlert.accessDenied) }
        guard let sequence = refusal.sequence, toClient.pending.isEmpty else { return close(because: message) }
        leave(saying: MySQLErrorPacket(code: 1105, sqlState: "HY000", message: message, sequence: sequence).bytes)
    }
}

/// A PostgreSQL session with a read-only guard by statement.
extension Session {
    /// Passes on what the guard allows and sends the guard's statement.
    ///
    /// - Returns: whether to continue reading from this side.
    func follow(_ bytes: [UInt8], from side: Side, _ guarded: GuardedPostgres) -> Bool {
        let passage = side == .client ? guarded.state.clientSent(bytes) : guarded.state.serverSent(bytes)
        if let message = passage.refusal {
            if send(passage.toClient, to: .client) { endUnguarded(message) }
            return false
        }
        guard send(passage.toServer, to: .backend), send(passage.toClient, to: .client) else { return false }
        wait(for: guarded)
        return self[side].mayRead
    }

    private func wait(for guarded: GuardedPostgres) {
        switch guarded.state.phase {
        case .login: break
        case .setting where !guarded.isAwaited:
            guarded.isAwaited = true
            loop.setDeadline(loop.now &+ settings.handshakeLimits.greeting, slot: slot)
        case .setting: break
        case .following:
            stream = .postgres(guarded.state.reader)
            if watchesBackend { closeIfIdle() } else { awaitAge() }
        }
        let wasHeld = toBackend.isHeld
        toBackend.isHeld = guarded.state.phase != .following && !guarded.state.wantsClient
        if wasHeld, !toBackend.isHeld { loop.resumeLater(slot: slot) }
    }

    /// The server did not answer the guard's statement in time, or closed the connection.
    ///
    /// - Returns: false if the guard was not waiting for an answer.
    func guardEnds(_ guarded: GuardedPostgres, _ message: String) -> Bool {
        guard guarded.state.phase == .setting else { return false }
        endUnguarded(message)
        return true
    }

    private func endUnguarded(_ message: String) {
        let refusal = Refusal(kind: .unguarded, message: environment.refusal(unguarded: self, because: message))
        guard toClient.pending.isEmpty else { return close(because: refusal.message) }
        leave(saying: refusal.postgresMessage)
    }
}
