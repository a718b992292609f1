import FailoverCore
import Glibc

/// The guard of one session; not in the session itself, whose size it would be to all the others.
final class GuardedPostgres {
    var state = PostgresGuard()
    /// Whether the time for the server's answer runs.
    var isAwaited = false
}

/// A PostgreSQL session that a statement keeps from writing.
extension Session {
    /// Passes on what may pass, and has the server told.
    ///
    /// - Returns: whether the side may be read on.
    func follow(_ bytes: [UInt8], from side: Side, _ guarded: GuardedPostgres) -> Bool {
        let passage = side == .client ? guarded.state.clientSent(bytes) : guarded.state.serverSent(bytes)
        if let words = passage.refusal {
            if send(passage.toClient, to: .client) { endUnguarded(words) }
            return false
        }
        defer { countHeldBytes() }
        guard send(passage.toServer, to: .backend), send(passage.toClient, to: .client) else { return false }
        wait(for: guarded)
        return self[side].mayRead
    }

    private func wait(for guarded: GuardedPostgres) {
        switch guarded.state.phase {
        case .login: break
        case .setting where !guarded.isAwaited:
            guarded.isAwaited = true
            loop.setDeadline(loop.now &+ settings.openingLimits.greeting, slot: slot)
        case .setting: break
        case .following:
            stream = .postgres(guarded.state.reader)
            if watchesBackend { closeIfIdle() } else { awaitAge() }
        }
        let wasHeld = toBackend.isHeld
        toBackend.isHeld = guarded.state.phase != .following && !guarded.state.wantsClient
        if wasHeld, !toBackend.isHeld { loop.resumeLater(slot: slot) }
    }

    /// The server was to be told, and the time for its answer is over, or it has closed.
    ///
    /// - Returns: false when it was not.
    func guardEnds(_ guarded: GuardedPostgres, _ words: String) -> Bool {
        guard guarded.state.phase == .setting else { return false }
        endUnguarded(words)
        return true
    }

    private func endUnguarded(_ words: String) {
        let refusal = Refusal(kind: .unguarded, message: worker.refusal(unguarded: self, because: words))
        guard toClient.pending.isEmpty else { return close(because: refusal.message) }
        leave(saying: refusal.postgresMessage)
    }
}
