import FailoverCore

/// The exchange before a backend serves the session, by engine. It is a pure value: it takes events and returns the
/// next step.
///
/// No byte of a backend reaches the client before the backend has proven that it can serve. Until then, another
/// candidate can get the client's bytes, and the client notices only a delay.
enum Handshake {
    /// The protocol is unknown, so an established connection counts as the proof.
    case tcp
    // Stored indirectly, so that relaying sessions, which have no handshake, do not need space for one.
    indirect case mysql(MySQLHandshake)
    indirect case postgres(PostgresHandshake)

    // Each event moves the handshake out of `self` while it changes the handshake, so that the buffers are not copied.

    /// A client has connected.
    mutating func start() -> HandshakeStep {
        switch self {
        case .tcp, .mysql: .connect
        case .postgres: .awaitClient
        }
    }

    /// The client has sent these bytes.
    mutating func clientSent(_ bytes: [UInt8]) -> HandshakeStep {
        switch self {
        case .tcp, .mysql: return .leave("unexpected data from the client")
        case .postgres(var handshake):
            self = .tcp
            defer { self = .postgres(handshake) }
            return handshake.clientSent(bytes)
        }
    }

    /// A backend is connected.
    ///
    /// - Parameters:
    ///   - guarding: the policy for a session that cannot be made read-only; `nil` if it may write.
    ///   - byStatement: whether a statement after the login makes it read-only.
    ///   - encryption: whether the proxy encrypts the connection; `nil` if it does not.
    mutating func connected(
        guarding: SessionSettings.OpaquePolicy? = nil, byStatement: Bool = false, encryption: ServerEncryption? = nil
    ) -> HandshakeStep {
        switch self {
        case .tcp: return .proven([])
        case .mysql(var handshake):
            self = .tcp
            defer { self = .mysql(handshake) }
            return handshake.connected(encryption: encryption)
        case .postgres(var handshake):
            self = .tcp
            defer { self = .postgres(handshake) }
            return handshake.connected(guarding: guarding, byStatement: byStatement, encryption: encryption)
        }
    }

    /// TLS with one side is established.
    mutating func secured(_ side: Side) -> HandshakeStep {
        switch self {
        case .tcp, .mysql: return .leave("unexpected TLS")
        case .postgres(var handshake):
            self = .tcp
            defer { self = .postgres(handshake) }
            return handshake.secured(side)
        }
    }

    /// The backend has sent these bytes.
    mutating func backendSent(_ bytes: [UInt8]) -> HandshakeStep {
        switch self {
        case .tcp: return .proven(bytes)
        case .mysql(var handshake):
            self = .tcp
            defer { self = .mysql(handshake) }
            return handshake.backendSent(bytes)
        case .postgres(var handshake):
            self = .tcp
            defer { self = .postgres(handshake) }
            return handshake.backendSent(bytes)
        }
    }

    /// The time limit for the backend's answer has passed.
    ///
    /// - Returns: `nil` if the backend has not answered.
    func answerIsLate() -> HandshakeStep? {
        if case .postgres(let handshake) = self { handshake.answerIsLate() } else { nil }
    }

    /// The connection to the backend was lost, or the session does not wait for this backend any longer.
    ///
    /// - Returns: `connect` if another backend is needed now, `awaitClient` if the client must send first.
    mutating func backendLost() -> HandshakeStep {
        switch self {
        case .tcp, .mysql: return .connect
        case .postgres(var handshake):
            self = .tcp
            defer { self = .postgres(handshake) }
            return handshake.backendLost()
        }
    }

    /// No backend can serve the client. The client is refused as soon as its protocol allows it.
    mutating func refuse(_ refusal: Refusal) -> HandshakeStep {
        switch self {
        case .tcp: return .leave(refusal.message)
        case .mysql: return .closingMessage(refusal.mysqlPacket)
        case .postgres(var handshake):
            self = .tcp
            defer { self = .postgres(handshake) }
            return handshake.refuse(refusal)
        }
    }

    /// Whether to read the client now. Otherwise its bytes stay in the socket.
    var readsClient: Bool {
        switch self {
        case .tcp, .mysql: false
        case .postgres(let handshake): handshake.readsClient
        }
    }

    /// Whether the traffic after the handshake is in clear text.
    var isInClear: Bool {
        switch self {
        case .tcp: false
        case .mysql: true
        case .postgres(let handshake): handshake.isInClear
        }
    }

    /// Whether the client's stream is encrypted or about to be.
    var isEncrypted: Bool {
        switch self {
        case .tcp, .mysql: false
        case .postgres(let handshake): handshake.isEncrypted
        }
    }

    /// Whether a backend may close the connection because of what the client sent.
    var clientMayBeAtFault: Bool {
        if case .postgres = self { true } else { false }
    }
}

/// The next step of a ``Handshake``.
enum HandshakeStep: Equatable {
    /// Wait for the client.
    case awaitClient
    /// Connect to a backend.
    case connect
    /// Send these bytes to the backend and wait for its answer.
    case awaitBackend(sending: [UInt8])
    /// Send these bytes to the client and wait for its answer.
    case tellClient([UInt8])
    /// Send these bytes to the client in clear text, and begin TLS with it. It has sent `received` of it already.
    case secureClient(answer: [UInt8], received: [UInt8])
    /// Begin TLS with the backend.
    case secureServer
    /// The backend can serve. First send these bytes, which come from the backend, to the client.
    case proven([UInt8])
    /// The backend failed.
    case failed(DialFailure)
    /// Connect to the same backend once more.
    case connectAgain
    /// A cancel request. Send it to every server that may run the query.
    case cancel([UInt8])
    /// Send these bytes to the client and end the session.
    case closingMessage([UInt8])
    /// End the session without a message. The text is the reason, for the log.
    case leave(String)
}

/// What a route with TLS of its own asks of its clients.
enum ClientEncryption: Equatable {
    /// Clients may also come in clear text.
    case offered
    case required
}

/// How the proxy encrypts its own connection to a server, on a route with TLS of its own.
enum ServerEncryption: Equatable {
    /// If the server offers TLS.
    case preferred
    case required

    /// Where the agreement with the current server stands.
    enum Progress: Equatable {
        /// The server has been sent the request.
        case asking
        /// The server has agreed, and the TLS handshake is in progress.
        case securing
        /// The connection is ready: within TLS, or in clear text if the server has none.
        case done
    }
}

/// A MySQL server sends first. Its greeting is the proof. An error packet, a close and silence are not.
struct MySQLHandshake {
    /// The bytes that the current backend has sent.
    private var heard: [UInt8] = []
    /// How the proxy encrypts the connection to the current backend; `nil` if it does not.
    private var encryption: ServerEncryption?

    mutating func connected(encryption: ServerEncryption? = nil) -> HandshakeStep {
        heard = []
        self.encryption = encryption
        return .awaitBackend(sending: [])
    }

    mutating func backendSent(_ bytes: [UInt8]) -> HandshakeStep {
        heard += bytes
        return switch heard.withUnsafeBytes(MySQLFirstPacket.init) {
        case .incomplete: .awaitBackend(sending: [])
        case .greeting: greeted()
        case .error(let code, let message): .failed(.refused(Self.kind(of: code), "\(code): \(message)"))
        case .malformed: .failed(.malformed("not a MySQL greeting"))
        }
    }

    private func greeted() -> HandshakeStep {
        guard let encryption else { return .proven(heard) }
        let size = MySQLPacket.headerSize + (Int(heard[0]) | Int(heard[1]) << 8)
        guard heard.count >= size else { return .awaitBackend(sending: []) }
        // Bytes after the greeting could be mistaken for decrypted ones.
        guard heard.count == size else { return .failed(.malformed("bytes after the greeting, before TLS")) }
        let offered = MySQLCapabilities(greeting: Array(heard[MySQLPacket.headerSize...])) ?? []
        return encryption == .required && !offered.contains(.tls)
            ? .failed(.encryption("the server offers no TLS")) : .proven(heard)
    }

    /// The kind of an error that a server sends instead of a greeting.
    private static func kind(of code: UInt16) -> BackendErrorKind {
        ServerError(mySQLCode: Int(code))?.kind ?? .earlyClose
    }
}
