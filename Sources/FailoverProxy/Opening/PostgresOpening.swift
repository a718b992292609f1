import FailoverCore

/// PostgreSQL's client speaks first: what it says is kept, given to a backend, and to the next one if that does not
/// prove itself. Proof is any answer but a refusal of everybody; of an encrypted session, any answer to its first bytes.
///
/// A client may ask for encryption before. Once it was told yes, a backend that says the same can still take over, as
/// long as nothing encrypted has come back.
struct PostgresOpening {
    private enum Phase {
        /// For the client's first message, or the next one after encryption was denied.
        case listening
        /// The client's request for encryption is a backend's to answer.
        case asking
        /// The client begins with encryption, and has not said a whole message.
        case listeningForHandshake
        /// The client has opened, in clear or encrypted; a backend is to answer.
        case answering
    }

    private var phase = Phase.listening
    /// Of the client, and not yet a whole message.
    private var incoming: [UInt8] = []
    /// The client's request for encryption.
    private var request: [UInt8] = []
    /// The yes that the client was told to its request.
    private var agreement: UInt8?
    /// What each backend is to be given: the client's StartupMessage, or the first bytes of its encrypted stream.
    private var kept: [UInt8] = []
    private(set) var isEncrypted = false
    /// What becomes of a session that the present backend must not let write, and that it can't keep from that.
    private var guarding: SessionSettings.OpaquePolicy?
    /// Whether the present backend is to be told by a statement after the login: it takes no parameter for it.
    private(set) var guardsByStatement = false
    /// What the present backend has said.
    private var heard: [UInt8] = []
    private var isConnected = false
    /// A later backend has been asked what the client was told already.
    private var isAskingAgain = false
    private var refusal: Refusal?

    /// A first flight that is longer is passed on in part only until there is an answer.
    private static let mostKept = 16_384
    private static let no = UInt8(ascii: "N")

    var readsClient: Bool {
        switch phase {
        case .listening, .listeningForHandshake: true
        case .asking: false
        case .answering: kept.count < Self.mostKept
        }
    }

    /// Whether the session is in clear and the client has said no more than its StartupMessage yet.
    var isInClear: Bool { !isEncrypted && PostgresFirstMessage(kept) == .startup(length: kept.count) }
}

// MARK: - The client speaks

extension PostgresOpening {
    /// The client's next bytes; none where it may have said the next thing already.
    mutating func clientSent(_ bytes: [UInt8]) -> Opening.Step {
        switch phase {
        case .listening:
            incoming += bytes
            return readMessage()
        case .asking:
            incoming += bytes
            return .awaitBackend(sending: [])
        case .listeningForHandshake:
            kept += bytes
            return openEncrypted()
        case .answering:
            kept += bytes
            return isConnected && !isAskingAgain ? .awaitBackend(sending: bytes) : .awaitBackend(sending: [])
        }
    }

    private mutating func readMessage() -> Opening.Step {
        switch PostgresFirstMessage(incoming) {
        case .incomplete: return .awaitClient
        case .garbage: return .leave("the client does not speak PostgreSQL's protocol")
        case .cancel(let length):
            // A route that is full or closed may still have sessions.
            return .cancel(Array(incoming.prefix(length)))
        case .sslRequest, .gssRequest:
            request = Array(incoming.prefix(PostgresFirstMessage.requestLength))
            incoming.removeFirst(request.count)
            if refusal != nil { return .tellClient([Self.no]) }
            phase = .asking
            return give(request)
        case .directTLS:
            isEncrypted = true
            phase = .listeningForHandshake
            kept = incoming
            incoming = []
            return openEncrypted()
        case .startup:
            return open(with: incoming)
        }
    }

    private mutating func open(with bytes: [UInt8]) -> Opening.Step {
        incoming = []
        kept = bytes
        phase = .answering
        if let refusal { return farewell(refusal) }
        return isConnected ? giveKept() : .connect
    }

    /// A backend is given a whole message: its time for the answer must not run while it waits for the client.
    private mutating func openEncrypted() -> Opening.Step {
        let isGSSAPI = agreement == UInt8(ascii: "G")
        guard isGSSAPI ? FirstFlight.isWholeGSSAPI(kept) : FirstFlight.isWholeTLS(kept) else {
            return kept.count < Self.mostKept ? .awaitClient : .leave("its first encrypted message has no end")
        }
        phase = .answering
        if let refusal { return farewell(refusal) }
        return isConnected ? .awaitBackend(sending: kept) : .connect
    }

    /// A failover alias may get another StartupMessage than the client's.
    private func giveKept() -> Opening.Step {
        guard guarding != nil, !isEncrypted else { return .awaitBackend(sending: kept) }
        if guardsByStatement {
            return isInClear ? .awaitBackend(sending: kept) : .failed(.unguardable(ReadOnlyGuard.whyEarly))
        }
        guard let bytes = PostgresReadOnlyStartup.bytes(kept) else {
            return .failed(.unguardable("the client's StartupMessage has no room for default_transaction_read_only"))
        }
        return .awaitBackend(sending: bytes)
    }

    private func give(_ bytes: [UInt8]) -> Opening.Step {
        isConnected ? .awaitBackend(sending: bytes) : .connect
    }
}

// MARK: - Backends come, answer and go

extension PostgresOpening {
    mutating func connected(
        guarding: SessionSettings.OpaquePolicy? = nil, byStatement: Bool = false
    ) -> Opening.Step {
        isConnected = true
        self.guarding = guarding
        guardsByStatement = byStatement
        switch phase {
        case .listening: return .awaitClient
        case .asking: return .awaitBackend(sending: request)
        case .listeningForHandshake, .answering:
            isAskingAgain = agreement != nil
            return isAskingAgain ? .awaitBackend(sending: request) : giveKept()
        }
    }

    mutating func backendSent(_ bytes: [UInt8]) -> Opening.Step {
        heard += bytes
        if isAskingAgain { return agreesAgain() }
        switch phase {
        case .listening, .listeningForHandshake: return .failed(.garbage("it spoke out of turn"))
        case .asking: return answered()
        case .answering:
            if isEncrypted { return .proven(heard) }
            if guarding != nil, !guardsByStatement, PostgresReadOnlyStartup.isRefused(by: heard) {
                isConnected = false
                heard = []
                return .connectAgain
            }
            return switch PostgresAnswer(heard) {
            case .incomplete, .letIn: .awaitBackend(sending: [])
            case .proof: .proven(heard)
            case .refusal(let kind, let words): .failed(.refused(kind, words))
            }
        }
    }

    /// The backend has not said all that was waited for. One that has let the client in serves it, if slowly: whatever it
    /// does meanwhile, it is no silence.
    ///
    /// - Returns: `nil` of a backend that is silent.
    func answerIsLate() -> Opening.Step? {
        guard case .answering = phase, !isEncrypted, PostgresAnswer(heard) == .letIn else { return nil }
        return .proven(heard)
    }

    /// The answer to a request for encryption is one byte: `S` (TLS), `G` (GSSAPI) or `N`. A server that can't start a
    /// process for the client sends an error in its place.
    private mutating func answered() -> Opening.Step {
        if heard.first == UInt8(ascii: "E") { return saidError() }
        guard heard.count == 1, let answer = heard.first else {
            return .failed(.garbage("no answer to a request for encryption"))
        }
        heard = []
        switch answer {
        case UInt8(ascii: "S"), UInt8(ascii: "G"):
            // Bytes in clear that pretend to be the beginning of the encrypted stream; CVE-2021-23214.
            guard incoming.isEmpty else { return .leave("the client sent bytes between its request and the answer") }
            if guarding == .refuse { return .failed(.unguardable(ReadOnlyGuard.whyEncrypted)) }
            agreement = answer
            isEncrypted = true
            phase = .listeningForHandshake
            return .tellClient([answer])
        case Self.no:
            phase = .listening
            return .tellClient([answer])
        default: return .failed(.garbage("no answer to a request for encryption"))
        }
    }

    private func saidError() -> Opening.Step {
        switch PostgresAnswer(heard) {
        case .incomplete: .awaitBackend(sending: [])
        case .refusal(let kind, let words): .failed(.refused(kind, words))
        case .letIn, .proof: .failed(.garbage("no answer to a request for encryption"))
        }
    }

    private mutating func agreesAgain() -> Opening.Step {
        if heard.first == UInt8(ascii: "E") { return saidError() }
        guard heard.count == 1, heard.first == agreement else {
            return .failed(.garbage("its answer to the request for encryption is another than the client was given"))
        }
        heard = []
        isAskingAgain = false
        return phase == .answering ? .awaitBackend(sending: kept) : .awaitClient
    }

    mutating func backendLost() -> Opening.Step {
        isConnected = false
        isAskingAgain = false
        heard = []
        switch phase {
        case .listening, .listeningForHandshake: return .awaitClient
        case .asking, .answering: return .connect
        }
    }
}

// MARK: - Nobody serves

extension PostgresOpening {
    mutating func refuse(_ refusal: Refusal) -> Opening.Step {
        self.refusal = refusal
        switch phase {
        case .listening: return readMessage()
        case .asking:
            // A client that only prefers encryption would take a no for leave to go on without.
            if refusal.kind == .unguarded { return .farewell(refusal.postgresMessage) }
            phase = .listening
            return .tellClient([Self.no])
        case .listeningForHandshake: return farewell(refusal)
        case .answering: return farewell(refusal)
        }
    }

    private func farewell(_ refusal: Refusal) -> Opening.Step {
        let isTLS = isEncrypted && agreement != UInt8(ascii: "G")
        if refusal.kind == .unguarded, isTLS { return .farewell(TLSAlert.accessDenied) }
        return isEncrypted ? .leave(refusal.message) : .farewell(refusal.postgresMessage)
    }
}
