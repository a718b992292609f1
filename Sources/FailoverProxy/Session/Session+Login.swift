import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// A MySQL session whose login is not complete.
extension Session {
    /// A connection to a server begins.
    func watchLogin() {
        login = environment.configuration.routes[route].engine == .mysql ? PendingLogin(MySQLLogin()) : nil
    }

    /// The server has sent its greeting. The client is next.
    func awaitLogin() {
        login?.deadline = loop.now &+ min(settings.clientStartupTimeout, settings.loginTimeout).nanoseconds
        // A guard that refuses TLS must see the TLS request at once.
        login?.state.holdsTLSRequest = machine.guarding != .refuse
    }

    /// Passes on the bytes of the login. Of the client's bytes, only whole packets are passed on.
    ///
    /// - Returns: whether to continue reading from this side.
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
        if case .guarded(let guarded) = stream {
            let passage = bytes.withUnsafeBytes { self.passage(of: $0, from: side, guarded) }
            return perform(passage, guarded, asItIs: bytes, from: side)
        }
        noteSigns(bytes.withUnsafeBytes { stream.sent($0, by: side) })
        return send(bytes, to: side.other) && self[side].mayRead
    }

    /// Ends the connection to the backend. A server that waits for a login first gets a login that it will refuse.
    func leaveBackend() {
        let refused = login?.state.refusedLogin
        login = nil
        guard let backend = backend.take() else { return }
        // Before the connection is established, the server has counted nothing.
        if let refused, backend.peerAddress != nil { environment.aborts.leave(backend, refused) }
    }

    /// Ends the connection to a MySQL server that has sent its greeting and got none of the client's bytes since.
    func leaveBackendBeforeLogin() {
        login = nil
        guard let backend = backend.take() else { return }
        environment.aborts.leave(backend, MySQLRefusedLogin())
    }
}

/// The client's identity.
extension Session {
    /// The client's address. If a load balancer has announced one, it is that address.
    var source: SocketAddress? { announcedSource ?? client.peerAddress }

    /// The client's address for log lines.
    var clientName: String { source?.description ?? "?" }

    /// The PROXY header that passes the client's address to a backend.
    func proxyHeader(_ version: ProxyHeaderVersion) -> [UInt8] {
        version.bytes(source: source, destination: client.localAddress)
    }
}

extension Descriptor {
    /// The peer's address; getpeername(2). A peer on a Unix socket has no address of its own.
    var peerAddress: SocketAddress? { .peer(of: raw) }

    /// The local address; getsockname(2).
    var localAddress: SocketAddress? { .local(of: raw) }

    /// Reads a PROXY header from the stream, and nothing after it.
    func receiveProxyHeader() -> ProxyHeader.Reading {
        var bytes = [UInt8](repeating: 0, count: ProxyHeader.longest)
        let count = recv(raw, &bytes, bytes.count, Int32(MSG_PEEK))
        guard count > 0 else { return count == 0 ? .malformed : .incomplete }
        let reading = ProxyHeader.read(Array(bytes.prefix(count)))
        if case .header(_, _, let length) = reading { recv(raw, &bytes, length, 0) }
        return reading
    }
}
