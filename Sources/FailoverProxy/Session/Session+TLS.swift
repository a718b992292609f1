import FailoverCore
import FailoverTLS

/// TLS handshakes of a session, with its client and with its server.
extension Session {
    /// How the proxy encrypts the connection to the server that was dialed; `nil` if it does not.
    var serverTLS: ServerTLS? { extras?.serverTLS }

    /// How the proxy encrypts connections to the current alias's server as it is now.
    ///
    /// A session of PostgreSQL whose client's TLS ends here keeps to that, also if its route has changed since.
    var currentServerTLS: ServerTLS? {
        guard machine.endsTLS || environment.configuration.routes[route].clientTLS != nil, let alias = machine.alias
        else { return nil }
        return environment.serverTLS(ofAlias: alias)
    }

    func keepServerTLS(_ tls: ServerTLS?) {
        guard tls != nil || extras != nil else { return }
        if extras == nil { extras = SessionExtras() }
        extras?.serverTLS = tls
    }

    /// Whether a handshake with this side is in progress, or waits for its turn.
    func isShakingHands(with side: Side) -> Bool {
        guard let extras else { return false }
        return extras[side]?.isShakingHands ?? (side == .client && extras.waitingForTLS != nil)
    }

    /// Begins TLS with the client, as soon as it is its turn.
    ///
    /// - Parameters:
    ///   - answer: bytes for the client in clear text, which come first.
    ///   - received: what the client has sent of its handshake already.
    func secureClient(_ answer: [UInt8], received: [UInt8]) {
        let extras = extras ?? SessionExtras()
        let source = SourceKey(source)?.number ?? 0
        let client = HandshakeQueue.Client(session: id, slot: slot)
        extras.handshakeSource = source
        extras.waitingForTLS = WaitingForTLS(answer: answer, received: received)
        self.extras = extras
        guard environment.handshakes[route].enter(client, source: source) else { return awaitTurn() }
        extras.waitingForTLS?.mayBegin = true
        shakeHands(with: .client)
    }

    /// It is the client's turn.
    func mayBeginTLS() {
        extras?.waitingForTLS?.mayBegin = true
        loop.setDeadline(deadlineOfTLS, slot: slot)
        loop.resumeLater(slot: slot)
    }

    /// Whether the client waits for its turn.
    var awaitsTurn: Bool { extras?.waitingForTLS?.mayBegin == false }

    /// How long a handshake may take while other clients wait for their turn, in nanoseconds.
    private var longestHandshake: UInt64 {
        (environment.configuration.routes[route].clientTLS?.longestHandshake ?? .seconds(2)).nanoseconds
    }

    private var deadlineOfTLS: UInt64 { machine.isRelaying ? extras?.login?.deadline ?? loop.now : handshakeDeadline }

    private func awaitTurn() {
        loop.setDeadline(min(deadlineOfTLS, loop.now &+ longestHandshake), slot: slot)
    }

    /// The client has waited for its turn. Handshakes that take too long make room.
    ///
    /// - Returns: whether the session continues; false if the client's own time is up.
    func hastenHandshakes() -> Bool {
        guard awaitsTurn, loop.now < deadlineOfTLS else { return false }
        environment.endStalledHandshakes(ofRoute: route)
        if awaitsTurn, !isClosed { awaitTurn() }
        return true
    }

    /// Whether the handshake with the client has taken too long for others to wait.
    func hasStalledHandshake(ofRoute route: Int) -> Bool {
        guard self.route == route, let began = extras?.handshakeBegan, isShakingHands(with: .client) else {
            return false
        }
        return loop.now >= began &+ longestHandshake
    }

    private func beginWithClient(_ waiting: WaitingForTLS) {
        extras?.waitingForTLS = nil
        extras?.handshakeBegan = loop.now
        guard let tls = environment.configuration.routes[route].clientTLS,
            waiting.answer.isEmpty || sendToClient(waiting.answer)
        else { return close(because: "TLS with the client cannot begin") }
        // A PostgreSQL client that sends no request for TLS must name its protocol.
        let isDirect = waiting.answer.isEmpty && environment.configuration.routes[route].engine == .postgres
        begin(with: .client, namesProtocol: isDirect) { () throws(TLSFailure) in
            try TLSChannel(tls.context, descriptor: client.raw, received: waiting.received)
        }
    }

    /// Begins TLS with the backend.
    func secureServer() {
        guard let tls = serverTLS, let socket = backend?.raw else {
            return failed(.backend, TLSFailure(.local, "it is not configured any more"))
        }
        let resumption = environment.resumption(tls.context)
        begin(with: .backend) { () throws(TLSFailure) in
            try TLSChannel(tls.context, descriptor: socket, resumption: resumption)
        }
    }

    private func begin(
        with side: Side, namesProtocol: Bool = false, _ makeChannel: () throws(TLSFailure) -> TLSChannel
    ) {
        do {
            let link = TLSLink(channel: try makeChannel(), namesProtocol: namesProtocol)
            if extras == nil { extras = SessionExtras() }
            extras?[side] = link
        } catch {
            return failed(side, error)
        }
        shakeHands(with: side)
    }

    /// Continues a handshake, after an event of its socket or when other sessions have had their turn.
    func shakeHands(with side: Side) {
        if side == .client, let waiting = extras?.waitingForTLS {
            guard waiting.mayBegin else { return }
            return beginWithClient(waiting)
        }
        guard let link = extras?[side], link.isShakingHands else { return }
        guard environment.mayShakeHands(with: side) else { return loop.resumeLater(slot: slot) }
        do {
            if try link.channel.handshake() != nil {
                // A handshake may stop after some records, and no event announces the rest.
                if link.channel.mayHaveMore { loop.resumeLater(slot: slot) }
                return
            }
        } catch {
            return failed(side, error)
        }
        guard !link.namesProtocol || link.channel.speaksPostgres else {
            return failed(side, TLSFailure(.peer, "the client does not name its protocol"))
        }
        extras?[side]?.isShakingHands = false
        if side == .client { clientIsSecured(link.channel) }
        if machine.isRelaying { return loginIsSecured(side) }
        if side == .client { waiting.formUnion(.readable) }
        advance(machine.secured(side, now: loop.now))
        guard !isClosed, !isLeaving else { return }
        if side == .client { readClientInHandshake() } else { readBackendInHandshake() }
    }

    /// Continues the handshakes that gave way to other sessions.
    func resumeHandshakes() {
        for side in [Side.client, .backend] where !isClosed && !isLeaving && isShakingHands(with: side) {
            shakeHands(with: side)
        }
    }

    /// Gives the next client its turn, if this session's handshake with its client has not ended yet.
    func leaveHandshake(isSecured: Bool) {
        guard let extras, let source = extras.handshakeSource else { return }
        extras.handshakeSource = nil
        if !isSecured { environment.traffic.routes[route].failedHandshakes += 1 }
        if extras.waitingForTLS?.mayBegin == false {
            environment.handshakes[route].forget(session: id)
        } else {
            environment.beginHandshakes(environment.handshakes[route].leave(source: source))
        }
        extras.waitingForTLS = nil
    }

    private func clientIsSecured(_ channel: TLSChannel) {
        leaveHandshake(isSecured: true)
        environment.noteSecured(self, channel)
    }

    private func failed(_ side: Side, _ failure: TLSFailure) {
        if side == .backend, let tls = serverTLS { environment.forgetResumption(tls.context) }
        switch side {
        case .client:
            environment.noteUnsecured(self, failure)
            close(because: "TLS with the client: \(failure)")
        case .backend where machine.isRelaying: loginCannotBeSecured(failure)
        case .backend where failure.cause == .connection: backendFailed(.closed)
        case .backend: backendFailed(.encryption("TLS: \(failure)"))
        }
    }
}
