import FailoverCore
import Glibc

/// The login that a MySQL session waits for; not in the session itself, whose size it would be to all the others.
final class PendingLogin {
    var state: MySQLLogin
    /// When the client must have logged in, once it is served.
    var deadline = UInt64.max

    init(_ state: MySQLLogin) { self.state = state }
}

/// A MySQL session that is not logged in.
extension Session {
    /// The connection to a server begins.
    func watchLogin() {
        login = worker.configuration.routes[route].engine == .mysql ? PendingLogin(MySQLLogin()) : nil
    }

    /// The server has greeted; it is the client's turn.
    func awaitLogin() {
        login?.deadline = loop.now &+ min(settings.clientStartupTimeout, settings.loginPatience).nanoseconds
        // Whoever refuses TLS wants to hear of it at once.
        login?.state.holdsTLSRequest = machine.guarding != .refuse
    }

    /// Passes on what belongs to the login, whole packets of the client only.
    ///
    /// - Returns: whether the side may be read on.
    func follow(_ count: Int, from side: Side, _ login: PendingLogin) -> Bool {
        let bytes = loop.readBuffer.copy(from: 0, to: count)
        var mayRead = true
        switch side {
        case .client:
            let passing = bytes.withUnsafeBytes { login.state.clientSent($0) }
            if !passing.isEmpty { mayRead = pass(passing, from: .client) }
        case .backend:
            bytes.withUnsafeBytes { login.state.serverSent($0) }
            mayRead = pass(bytes, from: .backend)
            let waiting = login.state.isOver && !isClosed && !isLeaving ? login.state.release() : []
            if !waiting.isEmpty { _ = pass(waiting, from: .client) }
        }
        guard !isClosed, !isLeaving else { return false }
        if login.state.isOver {
            self.login = nil
            if watchesBackend, !guardAwaitsServer { closeIfIdle() }
        }
        return mayRead
    }

    private func pass(_ bytes: [UInt8], from side: Side) -> Bool {
        let heard = stream.heard
        defer { if !isClosed, stream.heard != heard { noteWords(stream.heard.subtracting(heard)) } }
        if case .guarded(let guarded) = stream {
            let passage = bytes.withUnsafeBytes { bytes in
                side == .client ? guarded.state.clientSent(bytes) : guarded.state.serverSent(bytes)
            }
            return perform(passage, guarded, asItIs: bytes, from: side)
        }
        bytes.withUnsafeBytes { stream.sent($0, by: side) }
        return send(bytes, to: side.other) && self[side].mayRead
    }

    /// Gives up the connection to the backend: a server that waits for a login is left by one that it refuses.
    func leaveBackend() {
        let refused = login?.state.refusedLogin
        login = nil
        guard let backend = backend.take() else { return }
        // One that is still being connected to has seen nobody.
        if let refused, backend.peerAddress != nil { worker.depart(from: backend, refused) }
    }

    /// Gives up the connection to a MySQL server that has greeted, and was told nothing of what the client has said since.
    func leaveBackendBeforeLogin() {
        login = nil
        guard let backend = backend.take() else { return }
        worker.depart(from: backend, MySQLRefusedLogin())
    }
}
