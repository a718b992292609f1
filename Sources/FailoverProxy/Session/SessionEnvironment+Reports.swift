import FailoverCore
import FailoverTLS
import Logging

/// Observations and decisions of sessions, reported to the observer and the log.
extension SessionEnvironment {
    /// An alias could not serve a session.
    func note(_ told: SessionStateMachine.Report, session: Session) {
        let (alias, detail) = (told.attempt.alias, "\(told.attempt.failure)")
        log.debug("no connection", metadata: metadata(route: session.route, alias: alias, detail: detail))
        guard let kind = told.attempt.failure.kind else { return }
        guard told.accuses else { return observer.backendIsDoubtful(alias: alias) }
        report(kind, alias: alias, session: session, detail: detail)
    }

    /// The backend of an established session failed.
    func noteFailure(_ kind: BackendErrorKind, session: Session, detail: String) {
        guard let alias = session.machine.alias else { return }
        report(kind, alias: alias, session: session, detail: detail)
    }

    /// A backend serves the session from now on. If it is not the route's first choice, a line is logged, unless an
    /// outage that was logged explains it.
    func sessionServed(_ session: Session) {
        if let alias = session.machine.alias { traffic.routes[session.route].served[alias, default: 0] += 1 }
        if !session.machine.attempts.isEmpty { traffic.routes[session.route].retried += 1 }
        noteStale(session)
        noteLastResort(session)
        mover?.served(session)
        let order = routes.order(ofRoute: session.route)
        guard let alias = session.machine.alias, alias != order.first else { return }
        let passed = order.prefix { $0 != alias }.compactMap { reason(for: $0, passedBy: session) }
        guard !passed.isEmpty, let suppressed = throttles.decisions.allow(at: loop.now) else { return }
        let route = routes.routes[session.route].name
        log.info(
            "\(route): \(session.clientName) → \(routes.aliases[alias].name), \(passed.joined(separator: ", "))",
            metadata: ["suppressed": "\(suppressed)"])
    }

    /// A stale server serves the session because no fresh one is left.
    private func noteStale(_ session: Session) {
        guard let alias = session.machine.alias, let staleness = routes.aliases[alias].staleness,
            routes.pin(ofRoute: session.route) != alias, let suppressed = throttles.stale.allow(at: loop.now)
        else { return }
        log.warning(
            """
            \(routes.routes[session.route].name): no fresh server is available, \(routes.aliases[alias].name) serves \
            stale data
            """,
            metadata: ["client": "\(session.clientName)", "detail": "\(staleness)", "suppressed": "\(suppressed)"])
    }

    /// An alias that is down serves the session. A ping is requested to check whether it is up again.
    private func noteLastResort(_ session: Session) {
        guard session.machine.isLastResort, let alias = session.machine.alias else { return }
        observer.backendServed(alias: alias)
        guard let suppressed = throttles.lastResorts.allow(at: loop.now) else { return }
        let (route, name) = (routes.routes[session.route].name, routes.aliases[alias].name)
        log.info(
            "\(route): \(session.clientName) → \(name), which is marked down: no other server was available",
            metadata: ["suppressed": "\(suppressed)"])
    }

    private func reason(for alias: Int, passedBy session: Session) -> String? {
        let state = routes.aliases[alias]
        let suspicion = state.isSuspect ? " (suspect)" : ""
        if let attempt = session.machine.attempts.last(where: { $0.alias == alias }) {
            return "\(state.name): \(attempt.failure)\(suspicion)"
        }
        if state.isRetired { return nil }
        if state.isDraining { return "\(state.name) is drained" }
        if let staleness = state.staleness { return "\(state.name) is stale: \(staleness)" }
        if state.refusesSessions { return "\(state.name) is \(state.standing.availability.rawValue)" }
        return state.isSuspect ? "\(state.name) is suspect" : nil
    }

    /// TLS with the session's client is established.
    func noteSecured(_ session: Session, _ channel: TLSChannel) {
        traffic.routes[session.route].handshakes += 1
        guard let certificate = channel.peerCertificate else { return }
        log.info(
            "\(routes.routes[session.route].name): \(session.clientName) has the certificate \(certificate.subject)")
    }

    /// TLS with the session's client has failed.
    func noteUnsecured(_ session: Session, _ failure: TLSFailure) {
        guard let suppressed = throttles.handshakes.allow(at: loop.now) else { return }
        log.info(
            "\(routes.routes[session.route].name): no TLS with \(session.clientName): \(failure)",
            metadata: ["suppressed": "\(suppressed)"])
    }

    /// TLS with the server of a MySQL session has failed, after the greeting. It is too late for another server.
    func noteServerUnsecured(_ session: Session, _ failure: TLSFailure) {
        guard let alias = session.machine.alias else { return }
        // Other failures may be the client's work.
        if failure.cause == .certificate { tlsFailures[alias] = (loop.now, failure) }
        guard let suppressed = throttles.handshakes.allow(at: loop.now) else { return }
        log.warning(
            "\(routes.routes[session.route].name): no TLS with \(routes.aliases[alias].name): \(failure)",
            metadata: ["client": "\(session.clientName)", "suppressed": "\(suppressed)"])
    }

    func metadata(of session: Session) -> Logger.Metadata {
        [
            "route": "\(routes.routes[session.route].name)",
            "alias": "\(session.machine.alias.map { routes.aliases[$0].name } ?? "-")",
            "client": "\(session.clientName)",
            "bytes_in": "\(session.toBackend.received)",
            "bytes_out": "\(session.toClient.received)",
        ]
    }

    private func report(_ kind: BackendErrorKind, alias: Int, session: Session, detail: String) {
        let state = routes.aliases[alias]
        traffic.failures[alias][kind, default: 0] += 1
        observer.backendFailed(
            BackendFailure(kind: kind, alias: alias, session: session.id, detail: "\(state.place): \(detail)"),
            route: session.route)
    }

    private func metadata(route: Int, alias: Int, detail: String) -> Logger.Metadata {
        ["route": "\(routes.routes[route].name)", "alias": "\(routes.aliases[alias].name)", "detail": "\(detail)"]
    }
}
