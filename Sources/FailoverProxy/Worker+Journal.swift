import FailoverCore
import FailoverSystem
import Logging

/// How often lines that every session could cause may be written.
struct Journal {
    var refusals = LogThrottle()
    var decisions = LogThrottle()
    var unguarded = LogThrottle()
    var stale = LogThrottle(interval: .seconds(10))
    var lastResorts = LogThrottle()
}

/// What sessions saw and what was decided for them: told to the observer, and to whoever reads the log.
extension Worker {
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

    /// A backend serves the session from now on. That it is another than the route's own gets a line, unless an outage
    /// that was logged says why.
    func sessionServed(_ session: Session) {
        if let alias = session.machine.alias { traffic.routes[session.route].served[alias] += 1 }
        if !session.machine.attempts.isEmpty { traffic.routes[session.route].retried += 1 }
        noteStale(session)
        noteLastResort(session)
        if departure != nil { moveWhenSafe(session) }
        let order = routes.order(ofRoute: session.route)
        guard let alias = session.machine.alias, alias != order.first else { return }
        if session.machine.attempts.isEmpty { considerMoving(session) }
        let passed = order.prefix { $0 != alias }.compactMap { reason(for: $0, passedBy: session) }
        guard !passed.isEmpty, let suppressed = journal.decisions.allow(at: loop.now) else { return }
        let route = routes.routes[session.route].name
        log.info(
            "\(route): \(session.clientName) → \(routes.aliases[alias].name), \(passed.joined(separator: ", "))",
            metadata: ["suppressed": "\(suppressed)"])
    }

    /// A server whose data is too old serves, because no fresh one is left.
    private func noteStale(_ session: Session) {
        guard let alias = session.machine.alias, let staleness = routes.aliases[alias].staleness,
            routes.pin(ofRoute: session.route) != alias, let suppressed = journal.stale.allow(at: loop.now)
        else { return }
        log.warning(
            "\(routes.routes[session.route].name): no fresh server is left, \(routes.aliases[alias].name) serves stale data",
            metadata: ["client": "\(session.clientName)", "detail": "\(staleness)", "suppressed": "\(suppressed)"])
    }

    /// An alias that is down serves the session: somebody should see whether it is back.
    private func noteLastResort(_ session: Session) {
        guard session.machine.isLastResort, let alias = session.machine.alias else { return }
        observer.backendServed(alias: alias)
        guard let suppressed = journal.lastResorts.allow(at: loop.now) else { return }
        let (route, name) = (routes.routes[session.route].name, routes.aliases[alias].name)
        log.info(
            "\(route): \(session.clientName) → \(name), which was found down: nobody else was left",
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

    /// A client can't be served by any alias: the log is told in detail, the client in short.
    func refusal(route: Int, attempts: [SessionStateMachine.Attempt]) -> Refusal {
        traffic.routes[route].refused += 1
        let name = routes.routes[route].name
        let tried = attempts.map { (routes.aliases[$0.alias].name, "\($0.failure)") }
        let untried = routes.routes[route].aliases.filter { alias in !attempts.contains { $0.alias == alias } }
            .map { routes.aliases[$0] }
        let down = untried.compactMap { alias in alias.failure.map { (alias.name, $0) } }
        let stale = untried.filter { $0.failure == nil }
            .compactMap { alias in alias.staleness.map { (alias.name, $0) } }
        if let suppressed = journal.refusals.allow(at: loop.now) {
            let details =
                down.map { "\($0): \($1)" } + stale.map { "\($0): stale, \($1)" }
                + tried.map { "\($0): \($1)" }
            log.warning(
                "\(name): client refused, no alias could serve it",
                metadata: ["aliases": "\(details.joined(separator: "; "))", "suppressed": "\(suppressed)"])
        }
        // Addresses of servers are nobody's business who has not logged in.
        let reasons = down.map { "\($0): \($1.reason)" } + stale.map { "\($0.0): stale" } + tried.map { "\($0): \($1)" }
        let isFull = !attempts.isEmpty && down.isEmpty && stale.isEmpty && attempts.allSatisfy { $0.failure == .full }
        let isUnguarded = attempts.contains { if case .unguardable = $0.failure { true } else { false } }
        return Refusal(
            kind: isFull ? .limit : isUnguarded ? .unguarded : .nothingUp,
            message: "\(name): no server can serve this: \(reasons.joined(separator: "; "))")
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
