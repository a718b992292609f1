import FailoverCore

/// A PostgreSQL client sends first. Its bytes are kept and sent to a backend, and to the next backend if the first one
/// does not prove that it can serve. The proof is any answer except one that refuses all clients. In an encrypted
/// session it is any answer to the first bytes.
///
/// A client may request encryption first. After a positive answer, another backend can still take over if it gives the
/// same answer, until the first encrypted bytes have come from a backend.
struct PostgresHandshake {
    private enum Phase {
        /// Waiting for the client's first message, or for its next one after encryption was denied.
        case listening
        /// Waiting for a backend's answer to the client's encryption request.
        case asking
        /// The client has begun encryption and has not sent a whole message yet.
        case listeningForEncryption
        /// The client has sent its first message, in clear text or encrypted. Waiting for a backend's answer.
        case answering
    }

    private var phase = Phase.listening
    /// What clients are asked for, where TLS ends at the proxy; `nil` where it passes through.
    private let termination: ClientEncryption?
    /// Whether the client's bytes are decrypted ones.
    var isClientSecured = false
    /// How the proxy encrypts the connection to the current backend; `nil` if it does not.
    private(set) var encryption: ServerEncryption?
    var progress = ServerEncryption.Progress.done
    /// The bytes of the client that are not a whole message yet.
    var incoming: [UInt8] = []
    /// The client's encryption request.
    private var request: [UInt8] = []
    /// The positive answer that the client got to its request.
    private var agreement: UInt8?
    /// The bytes for each backend: the client's StartupMessage, or the first bytes of its encrypted stream.
    private var kept: [UInt8] = []
    private(set) var isEncrypted = false
    /// The policy for a session that must be read-only on the current backend and cannot be made so.
    private var guarding: SessionSettings.OpaquePolicy?
    /// Whether a statement after the login makes the session read-only, because the current backend does not accept the
    /// start-up parameter for it.
    private(set) var guardsByStatement = false
    /// The bytes that the current backend has sent.
    var heard: [UInt8] = []
    private var isConnected = false
    /// Whether a later backend has been sent the encryption request, to which the client already has an answer.
    private var isAskingAgain = false
    private(set) var refusal: Refusal?
    /// How often the client has requested encryption.
    private var requests = 0

    /// A client may request GSSAPI encryption, and then TLS.
    private static let mostRequests = 2
    /// The maximum number of the client's first bytes that are kept. If the client sends more, the rest stays in the
    /// socket until a backend has answered.
    private static let mostKept = 16_384
    static let no = UInt8(ascii: "N")

    init(termination: ClientEncryption? = nil) { self.termination = termination }

    /// Whether the client's TLS ends at the proxy.
    var endsTLS: Bool { termination != nil }

    var readsClient: Bool {
        switch phase {
        case .listening, .listeningForEncryption: true
        case .asking: false
        case .answering: kept.count < Self.mostKept
        }
    }

    /// Whether the session is in clear text and the client has sent only its StartupMessage.
    var isInClear: Bool { !isEncrypted && PostgresFirstMessage(kept) == .startup(length: kept.count) }
}

// MARK: - Bytes from the client

extension PostgresHandshake {
    /// The client has sent these bytes. If there are none, the handshake continues with bytes that have already
    /// arrived.
    mutating func clientSent(_ bytes: [UInt8]) -> HandshakeStep {
        switch phase {
        case .listening:
            incoming += bytes
            return readMessage()
        case .asking:
            incoming += bytes
            return .awaitBackend(sending: [])
        case .listeningForEncryption:
            kept += bytes
            return openEncrypted()
        case .answering:
            kept += bytes
            let mayPass = isConnected && !isAskingAgain && progress == .done
            return .awaitBackend(sending: mayPass ? bytes : [])
        }
    }

    mutating func readMessage() -> HandshakeStep {
        let message = PostgresFirstMessage(incoming)
        if message == .sslRequest || message == .gssRequest {
            requests += 1
            guard requests <= Self.mostRequests else { return .leave("the client requests encryption again and again") }
        }
        if let termination, let step = terminate(message, termination) { return step }
        switch message {
        case .incomplete: return .awaitClient
        case .malformed: return .leave("the client does not speak PostgreSQL's protocol")
        case .cancel(let length):
            // A full or closed route does not refuse it, because the route may still have sessions.
            return .cancel(Array(incoming.prefix(length)))
        case .sslRequest, .gssRequest:
            request = Array(incoming.prefix(PostgresFirstMessage.requestLength))
            incoming.removeFirst(request.count)
            if refusal != nil { return .tellClient([Self.no]) }
            phase = .asking
            return give(request)
        case .directTLS:
            isEncrypted = true
            phase = .listeningForEncryption
            kept = incoming
            incoming = []
            return openEncrypted()
        case .startup:
            return open(with: incoming)
        }
    }

    private mutating func open(with bytes: [UInt8]) -> HandshakeStep {
        incoming = []
        kept = bytes
        phase = .answering
        if let refusal { return closingMessage(refusal) }
        return isConnected ? giveKept() : .connect
    }

    /// The backend gets only a whole message. Otherwise the time limit for its answer would run while it waits for the
    /// client.
    private mutating func openEncrypted() -> HandshakeStep {
        let isGSSAPI = agreement == UInt8(ascii: "G")
        guard isGSSAPI ? FirstFlight.isWholeGSSAPI(kept) : FirstFlight.isWholeTLS(kept) else {
            return kept.count < Self.mostKept ? .awaitClient : .leave("the first encrypted message is too long")
        }
        phase = .answering
        if let refusal { return closingMessage(refusal) }
        return isConnected ? .awaitBackend(sending: kept) : .connect
    }

    /// A failover alias may get a StartupMessage that differs from the client's.
    func giveKept() -> HandshakeStep {
        guard guarding != nil, !isEncrypted else { return .awaitBackend(sending: kept) }
        if guardsByStatement {
            return isInClear ? .awaitBackend(sending: kept) : .failed(.unguardable(ReadOnlyGuard.whyEarly))
        }
        guard let bytes = PostgresReadOnlyStartup.bytes(kept) else {
            return .failed(.unguardable("the client's StartupMessage has no room for default_transaction_read_only"))
        }
        return .awaitBackend(sending: bytes)
    }

    private func give(_ bytes: [UInt8]) -> HandshakeStep {
        isConnected ? .awaitBackend(sending: bytes) : .connect
    }
}

// MARK: - Backends

extension PostgresHandshake {
    mutating func connected(
        guarding: SessionSettings.OpaquePolicy? = nil, byStatement: Bool = false, encryption: ServerEncryption? = nil
    ) -> HandshakeStep {
        isConnected = true
        // The session may have begun before its route got TLS of its own.
        self.encryption = termination == nil ? nil : encryption
        progress = self.encryption == nil ? .done : .asking
        self.guarding = guarding
        guardsByStatement = byStatement
        switch phase {
        case .listening: return .awaitClient
        case .asking: return .awaitBackend(sending: request)
        case .listeningForEncryption, .answering:
            if self.encryption != nil { return .awaitBackend(sending: Self.sslRequest) }
            isAskingAgain = agreement != nil
            return isAskingAgain ? .awaitBackend(sending: request) : giveKept()
        }
    }

    mutating func backendSent(_ bytes: [UInt8]) -> HandshakeStep {
        heard += bytes
        if isAskingAgain { return agreesAgain() }
        switch phase {
        case .listening, .listeningForEncryption: return .failed(.malformed("the server sent data before it was asked"))
        case .asking: return answered()
        case .answering:
            if let encryption, progress != .done { return agreed(encryption) }
            if isEncrypted { return .proven(heard) }
            if guarding != nil, !guardsByStatement, PostgresReadOnlyStartup.isRefused(by: heard) {
                isConnected = false
                heard = []
                return .connectAgain
            }
            return switch PostgresAnswer(heard) {
            case .incomplete, .letIn: .awaitBackend(sending: [])
            case .proof: proven()
            case .refusal(let kind, let message): .failed(.refused(kind, message))
            }
        }
    }

    /// The backend's answer is incomplete at the time limit. If the backend has accepted the client without
    /// authentication, it is only slow, and does not count as silent.
    ///
    /// - Returns: `nil` if the backend is silent.
    func answerIsLate() -> HandshakeStep? {
        guard case .answering = phase, !isEncrypted, PostgresAnswer(heard) == .letIn else { return nil }
        return .proven(heard)
    }

    /// The answer to an encryption request is one byte: `S` (TLS), `G` (GSSAPI) or `N`. A server that cannot start a
    /// process for the client sends an error instead.
    private mutating func answered() -> HandshakeStep {
        if heard.first == UInt8(ascii: "E") { return saidError() }
        guard heard.count == 1, let answer = heard.first else {
            return .failed(.malformed("no answer to a request for encryption"))
        }
        heard = []
        switch answer {
        case UInt8(ascii: "S"), UInt8(ascii: "G"):
            // These clear-text bytes could be mistaken for the beginning of the encrypted stream; CVE-2021-23214.
            guard incoming.isEmpty else { return .leave("the client sent bytes between its request and the answer") }
            if guarding == .refuse { return .failed(.unguardable(ReadOnlyGuard.whyEncrypted)) }
            agreement = answer
            isEncrypted = true
            phase = .listeningForEncryption
            return .tellClient([answer])
        case Self.no:
            phase = .listening
            return .tellClient([answer])
        default: return .failed(.malformed("no answer to a request for encryption"))
        }
    }

    func saidError() -> HandshakeStep {
        switch PostgresAnswer(heard) {
        case .incomplete: .awaitBackend(sending: [])
        case .refusal(let kind, let message): .failed(.refused(kind, message))
        case .letIn, .proof: .failed(.malformed("no answer to a request for encryption"))
        }
    }

    private mutating func agreesAgain() -> HandshakeStep {
        if heard.first == UInt8(ascii: "E") { return saidError() }
        guard heard.count == 1, heard.first == agreement else {
            return .failed(.malformed("the answer to the encryption request differs from the one that the client got"))
        }
        heard = []
        isAskingAgain = false
        return phase == .answering ? .awaitBackend(sending: kept) : .awaitClient
    }

    mutating func backendLost() -> HandshakeStep {
        isConnected = false
        isAskingAgain = false
        progress = .done
        heard = []
        switch phase {
        case .listening, .listeningForEncryption: return .awaitClient
        case .asking, .answering: return .connect
        }
    }
}

// MARK: - Refusal

extension PostgresHandshake {
    mutating func refuse(_ refusal: Refusal) -> HandshakeStep {
        self.refusal = refusal
        switch phase {
        case .listening: return readMessage()
        case .asking:
            // After `N`, a client that only prefers encryption would continue in clear text.
            if refusal.kind == .unguarded { return .closingMessage(refusal.postgresMessage) }
            phase = .listening
            return .tellClient([Self.no])
        case .listeningForEncryption: return closingMessage(refusal)
        case .answering: return closingMessage(refusal)
        }
    }

    private func closingMessage(_ refusal: Refusal) -> HandshakeStep {
        let isTLS = isEncrypted && agreement != UInt8(ascii: "G")
        if refusal.kind == .unguarded, isTLS { return .closingMessage(TLSAlert.accessDenied) }
        return isEncrypted ? .leave(refusal.message) : .closingMessage(refusal.postgresMessage)
    }
}
