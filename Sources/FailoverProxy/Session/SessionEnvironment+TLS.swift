import FailoverCore
import FailoverTLS

/// TLS that ends at the proxy, as far as the sessions of a loop share it: turns, limits, and what is known of servers.
extension SessionEnvironment {
    /// How many steps of handshakes may follow each other before other sessions have their turn. Each takes up to a
    /// millisecond. Servers have more, because their sessions have been admitted, and their time for an answer runs.
    private static let mostHandshakeSteps = (withClients: 4, withServers: 8)

    /// How the proxy encrypts connections to the alias's current server; `nil` if it does not.
    func serverTLS(ofAlias alias: Int) -> ServerTLS? {
        guard configuration.aliasTLS.indices.contains(alias), routes.aliases.indices.contains(alias) else { return nil }
        let state = routes.aliases[alias]
        return configuration.aliasTLS[alias][state.server ?? state.endpoint]
    }

    /// What a new TLS session with a server can resume; `nil` if there is nothing.
    func resumption(_ context: TLSContext) -> TLSResumption? { resumptions[ObjectIdentifier(context)] }

    /// TLS with the server has failed, perhaps because of what was resumed.
    func forgetResumption(_ context: TLSContext) { resumptions[ObjectIdentifier(context)] = nil }

    /// Keeps what the next session with the same server can resume. In TLS 1.3 it arrives after the handshake.
    func keepResumption(of channel: TLSChannel) {
        guard let resumption = channel.resumption else { return }
        resumptions[ObjectIdentifier(resumption.context)] = resumption
    }

    /// How long an alias with which TLS has failed gets no sessions, in nanoseconds.
    private static let tlsFailureLifetime: UInt64 = 5_000_000_000

    /// Why TLS with an alias has failed a moment ago; `nil` if it has not. A MySQL session cannot change its server once
    /// it has the greeting, so the others do not try this one.
    func recentTLSFailure(ofAlias alias: Int) -> TLSFailure? {
        guard !tlsFailures.isEmpty, let latest = tlsFailures[alias] else { return nil }
        if loop.now < latest.at &+ Self.tlsFailureLifetime { return latest.failure }
        tlsFailures[alias] = nil
        return nil
    }

    /// Whether a handshake with this side may continue in this round of events.
    func mayShakeHands(with side: Side) -> Bool {
        if handshakeSteps.round != loop.now { handshakeSteps = (loop.now, 0, 0) }
        switch side {
        case .client:
            handshakeSteps.withClients += 1
            return handshakeSteps.withClients <= Self.mostHandshakeSteps.withClients
        case .backend:
            handshakeSteps.withServers += 1
            return handshakeSteps.withServers <= Self.mostHandshakeSteps.withServers
        }
    }

    /// These clients need not wait any longer.
    func beginHandshakes(_ clients: [HandshakeQueue.Client]) {
        for client in clients {
            guard let session = loop.tenant(slot: client.slot) as? Session, session.id == client.session else {
                continue
            }
            session.mayBeginTLS()
        }
    }

    /// Ends handshakes of the route that have taken too long, as many as clients wait. It looks for them ten times a second
    /// at most.
    func endStalledHandshakes(ofRoute route: Int) {
        guard loop.now >= handshakes[route].nextLookForStalled else { return }
        handshakes[route].nextLookForStalled = loop.now &+ 100_000_000
        let stalled = sessions.filter { $0.hasStalledHandshake(ofRoute: route) }
        for session in stalled.prefix(handshakes[route].waitingCount) {
            session.close(because: "its TLS handshake took too long while other clients waited")
        }
    }

    /// Applies the routes' current limits.
    func limitHandshakes() {
        let loops = configuration.workers
        let contexts = configuration.aliasTLS.flatMap { $0.values.map { ObjectIdentifier($0.context) } }
        let current = Set(contexts)
        resumptions = resumptions.filter { current.contains($0.key) }
        for (index, route) in configuration.routes.enumerated() {
            let limit = ((route.clientTLS?.maxHandshakes ?? 1) + loops - 1) / loops
            if index == handshakes.count { handshakes.append(HandshakeQueue(limit: limit)) }
            beginHandshakes(handshakes[index].change(limit: limit))
        }
    }
}
