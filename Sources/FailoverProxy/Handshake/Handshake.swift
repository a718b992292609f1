import FailoverCore

/// The exchange before a session belongs to a backend, by engine. Pure: it takes events and returns the next step.
///
/// No byte of a backend reaches the client before the backend has proven that it can serve. So the next candidate can
/// be given the client's bytes, and the client notices only a delay.
enum Handshake {
    /// The protocol is unknown, so a connection is proof enough.
    case tcp
    case mysql(MySQLHandshake)
    // Boxed: a relaying session has no handshake and must not be as large as one.
    indirect case postgres(PostgresHandshake)

    // Events move the only reference to a handshake out while they change it, so that its buffers are not copied.

    /// A client has connected.
    mutating func start() -> HandshakeStep {
        switch self {
        case .tcp, .mysql: .connect
        case .postgres: .awaitClient
        }
    }

    /// The client's next bytes.
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
    mutating func connected(guarding: SessionSettings.OpaquePolicy? = nil, byStatement: Bool = false) -> HandshakeStep {
        switch self {
        case .tcp: return .proven([])
        case .mysql(var handshake):
            self = .tcp
            defer { self = .mysql(handshake) }
            return handshake.connected()
        case .postgres(var handshake):
            self = .tcp
            defer { self = .postgres(handshake) }
            return handshake.connected(guarding: guarding, byStatement: byStatement)
        }
    }

    /// The backend's next bytes.
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

    /// The backend was lost or given up.
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

    /// No backend can serve the client. It is refused as soon as its protocol allows.
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

    /// Whether the client is encrypted or about to be.
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
    /// The backend serves. Send these bytes of it to the client first.
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

/// A MySQL server sends first: its greeting is the proof. An error packet instead, a close or silence is not.
struct MySQLHandshake {
    /// The current backend's bytes.
    private var heard: [UInt8] = []

    mutating func connected() -> HandshakeStep {
        heard = []
        return .awaitBackend(sending: [])
    }

    mutating func backendSent(_ bytes: [UInt8]) -> HandshakeStep {
        heard += bytes
        return switch heard.withUnsafeBytes(MySQLFirstPacket.init) {
        case .incomplete: .awaitBackend(sending: [])
        case .greeting: .proven(heard)
        case .error(let code, let message): .failed(.refused(Self.kind(of: code), "\(code): \(message)"))
        case .malformed: .failed(.malformed("not a MySQL greeting"))
        }
    }

    /// The kind of an error that a server sends instead of a greeting.
    private static func kind(of code: UInt16) -> BackendErrorKind {
        ServerError(mySQLCode: Int(code))?.kind ?? .earlyClose
    }
}
