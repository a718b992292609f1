import CLinux
import FailoverCore
import FailoverSystem
import FailoverTLS
import Glibc

/// A MySQL session whose login is not complete.
extension Session {
    /// A connection to a server begins.
    func watchLogin() {
        let settings = environment.configuration.routes[route]
        guard settings.engine == .mysql else { return setLogin(nil) }
        var login = MySQLLogin()
        if let tls = settings.clientTLS {
            login.termination = MySQLTermination(
                isRequired: tls.isRequired, serverIsRequired: serverTLS?.isRequired ?? false)
        }
        setLogin(PendingLogin(login))
    }

    private func setLogin(_ login: PendingLogin?) {
        if login != nil, extras == nil { extras = SessionExtras() }
        extras?.login = login
        if extras?.isEmpty == true { extras = nil }
    }

    /// The server has sent its greeting. The client is next.
    func awaitLogin() {
        guard let login = extras?.login else { return }
        login.deadline = loop.now &+ min(settings.clientStartupTimeout, settings.loginTimeout).nanoseconds
        // A guard that refuses TLS must see the TLS request at once.
        login.state.holdsTLSRequest = machine.guarding != .refuse
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
            if let step = login.state.termination?.takeStep() {
                encrypt(step, login)
                return false
            }
            if !passing.isEmpty { mayRead = pass(passing, from: .client) }
        case .backend:
            bytes.withUnsafeBytes { login.state.serverSent($0) }
            guard !login.state.isViolated else {
                close(because: "the server sent bytes before the login")
                return false
            }
            mayRead = pass(bytes, from: .backend)
            let waiting = login.state.isOver && !isClosed && !isLeaving ? login.state.release() : []
            if !waiting.isEmpty { _ = pass(waiting, from: .client) }
        }
        guard !isClosed, !isLeaving else { return false }
        if login.state.isOver {
            if let tls = extras?.backend?.channel { environment.keepResumption(of: tls) }
            extras?.serverTLS = nil
            setLogin(nil)
            if watchesBackend, !guardAwaitsServer { closeIfIdle() }
        }
        return mayRead
    }

    /// Begins the TLS of a login that ends at the proxy, or refuses the login.
    private func encrypt(_ step: MySQLTermination.Step, _ login: PendingLogin) {
        switch step {
        case .secureClient:
            toBackend.isHeld = true
            stream.clientRequestedTLS()
            secureClient([], received: login.state.release())
        case .secureServer:
            toBackend.isHeld = true
            toClient.isHeld = true
            guard send(login.state.termination?.request ?? [], to: .backend) else { return }
            secureServer()
        // ER_SECURE_TRANSPORT_REQUIRED
        case .refuse(let message, let sequence): refuseLogin(3159, message, sequence: sequence)
        }
    }

    /// TLS with one side of a login that ends at the proxy is established.
    func loginIsSecured(_ side: Side) {
        guard let login = extras?.login else { return }
        toBackend.isHeld = false
        if side == .backend {
            toClient.isHeld = false
            login.state.termination?.serverIsSecured()
            let passing = UnsafeRawBufferPointer(start: nil, count: 0)
            guard pass(login.state.clientSent(passing), from: .client) else { return }
        }
        loop.resumeLater(slot: slot)
    }

    /// TLS with the server of a login cannot be established. The client waits for the answer to its login.
    func loginCannotBeSecured(_ failure: TLSFailure) {
        environment.noteServerUnsecured(self, failure)
        // ER_UNKNOWN_ERROR
        refuseLogin(1105, "TLS with the server: \(failure)", sequence: 3)
    }

    private func refuseLogin(_ code: UInt16, _ message: String, sequence: UInt8) {
        leave(saying: MySQLErrorPacket(code: code, sqlState: "HY000", message: message, sequence: sequence).bytes)
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
        let link = extras?.backend
        // A server cannot be told anything during a TLS handshake.
        let refused = link?.isShakingHands == true ? nil : extras?.login?.state.refusedLogin
        setLogin(nil)
        extras?.backend = nil
        extras?.serverTLS = nil
        guard let backend = backend.take() else { return }
        // Before the connection is established, the server has counted nothing.
        if let refused, backend.peerAddress != nil {
            environment.aborts.leave(ServerConnection(backend, tls: link?.channel), refused)
        } else {
            // Without a closure alert, the server would log an error.
            _ = link?.channel.endSending()
            _ = consume backend
        }
    }

    /// Ends the connection to a MySQL server that has sent its greeting and got none of the client's bytes since.
    func leaveBackendBeforeLogin() {
        let link = extras?.backend
        setLogin(nil)
        extras?.backend = nil
        extras?.serverTLS = nil
        guard let backend = backend.take(), link?.isShakingHands != true else { return }
        environment.aborts.leave(
            ServerConnection(backend, tls: link?.channel), MySQLRefusedLogin(inTLS: link != nil))
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
