/// What is said before a session belongs to a backend, by engine. Pure: it is told what happened and says what is next.
///
/// Nothing that a backend says reaches the client before it proves that the backend can serve. So the next candidate
/// can be given what the client said, and the client notices no more than a wait.
enum Opening {
    /// A connection is proof enough: nothing is known of the protocol.
    case tcp
    case mysql(MySQLOpening)
    // Boxed: a session that is served has none, and is not to be as large as this.
    indirect case postgres(PostgresOpening)

    /// What has to happen next.
    enum Step: Equatable {
        /// The client is to speak.
        case awaitClient
        /// A connection to a backend is needed.
        case connect
        /// This goes to the backend; it is to speak.
        case awaitBackend(sending: [UInt8])
        /// This goes to the client; it is to speak.
        case tellClient([UInt8])
        /// The backend serves; this goes to the client first, which it has said.
        case proven([UInt8])
        /// The backend is no good.
        case failed(DialFailure)
        /// The same backend is needed once more, on another connection.
        case connectAgain
        /// The client wants a running query cancelled; this goes to all who may run it.
        case cancel([UInt8])
        /// This goes to the client, and the session ends.
        case farewell([UInt8])
        /// The session ends without a word.
        case leave(String)
    }

    /// A client has come.
    mutating func start() -> Step {
        switch self {
        case .tcp, .mysql: .connect
        case .postgres: .awaitClient
        }
    }

    /// The client's next bytes.
    mutating func clientSent(_ bytes: [UInt8]) -> Step {
        switch self {
        case .tcp, .mysql: return .leave("the client spoke out of turn")
        case .postgres(var opening):
            defer { self = .postgres(opening) }
            return opening.clientSent(bytes)
        }
    }

    /// A connection to a backend stands.
    ///
    /// - Parameters:
    ///   - guarding: what becomes of a session that can't be kept from writing; `nil` where it may write.
    ///   - byStatement: whether it is kept from that by a statement after the login.
    mutating func connected(guarding: SessionSettings.OpaquePolicy? = nil, byStatement: Bool = false) -> Step {
        switch self {
        case .tcp: return .proven([])
        case .mysql(var opening):
            defer { self = .mysql(opening) }
            return opening.connected()
        case .postgres(var opening):
            defer { self = .postgres(opening) }
            return opening.connected(guarding: guarding, byStatement: byStatement)
        }
    }

    /// The backend's next bytes.
    mutating func backendSent(_ bytes: [UInt8]) -> Step {
        switch self {
        case .tcp: return .proven(bytes)
        case .mysql(var opening):
            defer { self = .mysql(opening) }
            return opening.backendSent(bytes)
        case .postgres(var opening):
            defer { self = .postgres(opening) }
            return opening.backendSent(bytes)
        }
    }

    /// The backend's time for its answer is over.
    ///
    /// - Returns: `nil` of one that is silent.
    func answerIsLate() -> Step? {
        if case .postgres(let opening) = self { opening.answerIsLate() } else { nil }
    }

    /// The backend is gone, or given up.
    ///
    /// - Returns: `connect` when another is needed now, `awaitClient` when the client is to speak first.
    mutating func backendLost() -> Step {
        switch self {
        case .tcp, .mysql: return .connect
        case .postgres(var opening):
            defer { self = .postgres(opening) }
            return opening.backendLost()
        }
    }

    /// Nobody can serve the client: it is to be told so as soon as its protocol allows.
    mutating func refuse(_ refusal: Refusal) -> Step {
        switch self {
        case .tcp: return .leave(refusal.message)
        case .mysql: return .farewell(refusal.mysqlPacket)
        case .postgres(var opening):
            defer { self = .postgres(opening) }
            return opening.refuse(refusal)
        }
    }

    /// Whether the client's bytes are wanted now. Until then they stay where they are.
    var readsClient: Bool {
        switch self {
        case .tcp, .mysql: false
        case .postgres(let opening): opening.readsClient
        }
    }

    /// Whether what follows the opening can be read.
    var isInClear: Bool {
        switch self {
        case .tcp: false
        case .mysql: true
        case .postgres(let opening): opening.isInClear
        }
    }

    /// Whether the client is known to be, or about to be, encrypted.
    var isEncrypted: Bool {
        switch self {
        case .tcp, .mysql: false
        case .postgres(let opening): opening.isEncrypted
        }
    }

    /// Whether a backend that closes may do so because of what the client said.
    var clientMayBeAtFault: Bool {
        if case .postgres = self { true } else { false }
    }
}
