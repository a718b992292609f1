import FailoverCore
import FailoverTLS

/// TLS handshakes of a session, with its client and with its server.
extension Session {
    /// How the proxy encrypts the connection to the current alias; `nil` if it does not.
    var serverTLS: ServerTLS? {
        let configuration = environment.configuration
        guard configuration.routes[route].clientTLS != nil, let alias = machine.alias,
            configuration.aliasTLS.indices.contains(alias)
        else { return nil }
        return configuration.aliasTLS[alias]
    }

    func isShakingHands(with side: Side) -> Bool { extras?[side]?.isShakingHands ?? false }

    /// Begins TLS with the client.
    ///
    /// - Parameters:
    ///   - answer: what the client is told in clear text first.
    ///   - received: what the client has sent of its handshake already.
    func secureClient(_ answer: [UInt8], received: [UInt8]) {
        guard let tls = environment.configuration.routes[route].clientTLS, sendToClient(answer) else {
            return close(because: "TLS with the client cannot begin")
        }
        begin(with: .client) { () throws(TLSFailure) in
            try TLSChannel(tls.context, descriptor: client.raw, received: received)
        }
    }

    /// Begins TLS with the backend.
    func secureServer() {
        guard let tls = serverTLS, let socket = backend?.raw else {
            return backendFailed(.encryption("TLS is not configured any more"))
        }
        begin(with: .backend) { () throws(TLSFailure) in try TLSChannel(tls.context, descriptor: socket) }
    }

    private func begin(with side: Side, _ makeChannel: () throws(TLSFailure) -> TLSChannel) {
        do {
            let link = TLSLink(channel: try makeChannel())
            if extras == nil { extras = SessionExtras() }
            extras?[side] = link
            shakeHands(with: side)
        } catch {
            failed(side, error)
        }
    }

    /// Continues a handshake after an event of its socket.
    func shakeHands(with side: Side) {
        guard let link = extras?[side], link.isShakingHands else { return }
        do {
            if try link.channel.handshake() != nil {
                // A handshake stops after some bytes, and no event announces the rest.
                if link.channel.hasMore { loop.resumeLater(slot: slot) }
                return
            }
        } catch {
            return failed(side, error)
        }
        extras?[side]?.isShakingHands = false
        if side == .client { waiting.formUnion(.readable) }
        advance(machine.secured(side, now: loop.now))
        guard !isClosed, !isLeaving else { return }
        if side == .client { readClientInHandshake() } else { readBackendInHandshake() }
    }

    /// Continues the handshakes that gave way to other sessions.
    func resumeHandshakes() {
        for side in [Side.client, .backend] where !isClosed && !isLeaving { shakeHands(with: side) }
    }

    private func failed(_ side: Side, _ failure: TLSFailure) {
        switch side {
        case .client: close(because: "TLS with the client: \(failure)")
        case .backend: backendFailed(.encryption("TLS: \(failure)"))
        }
    }
}
