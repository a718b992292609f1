import FailoverCore
import Logging

/// Refusals of clients: detailed in the log, short for the client.
extension SessionEnvironment {
    /// No alias can serve the client. Logs the details and returns a short refusal.
    func refusal(route: Int, attempts: [SessionStateMachine.Attempt]) -> Refusal {
        traffic.routes[route].refused += 1
        let name = routes.routes[route].name
        let tried = attempts.map { (routes.aliases[$0.alias].name, "\($0.failure)") }
        let untried = routes.routes[route].aliases.filter { alias in !attempts.contains { $0.alias == alias } }
            .map { routes.aliases[$0] }
        let down = untried.compactMap { alias in alias.failure.map { (alias.name, $0) } }
        let up = untried.filter { $0.failure == nil }
        let stale = up.compactMap { alias in alias.staleness.map { (alias.name, $0) } }
        let drained = up.filter { $0.staleness == nil && $0.isDraining }.map { "\($0.name): drained" }
        if let suppressed = throttles.refusals.allow(at: loop.now) {
            let details =
                down.map { "\($0): \($1)" } + stale.map { "\($0): stale, \($1)" } + drained
                + tried.map { "\($0): \($1)" }
            log.warning(
                "\(name): client refused, no alias could serve it",
                metadata: ["aliases": "\(details.joined(separator: "; "))", "suppressed": "\(suppressed)"])
        }
        // A client that is not logged in must not learn server addresses.
        let reasons =
            down.map { "\($0): \($1.reason)" } + stale.map { "\($0.0): stale" } + drained
            + tried.map { "\($0): \($1)" }
        let isFull = !attempts.isEmpty && down.isEmpty && stale.isEmpty && attempts.allSatisfy { $0.failure == .full }
        let isUnguarded = attempts.contains { if case .unguardable = $0.failure { true } else { false } }
        return Refusal(
            kind: isFull ? .limit : isUnguarded ? .unguarded : .nothingUp,
            message: "\(name): no server can serve this: \(reasons.joined(separator: "; "))")
    }

    /// The route has no connection slot for the session.
    func refusalOfLimit(_ session: Session) -> Refusal {
        traffic.routes[session.route].refused += 1
        let name = routes.routes[session.route].name
        let waited = session.queueDeadline == 0 ? "" : ", and no session ended within queue_timeout"
        warnOfLimit(session, "max_connections is reached\(waited)")
        return Refusal(kind: .limit, message: "\(name): too many sessions\(waited)")
    }

    /// The session's source has reached a limit.
    func refusal(ofSource session: Session, _ reason: SourceLimits.Refusal) -> Refusal {
        traffic.routes[session.route].refused += 1
        let (key, message) =
            switch reason {
            case .tooMany: ("max_connections_per_source", "too many sessions from this address")
            case .tooFast: ("connection_rate_per_source", "too many new sessions per second from this address")
            }
        warnOfLimit(session, "\(key) is reached")
        return Refusal(kind: .sourceLimit, message: "\(routes.routes[session.route].name): \(message)")
    }

    private func warnOfLimit(_ session: Session, _ message: String) {
        guard let suppressed = throttles.refusals.allow(at: loop.now) else { return }
        log.warning(
            "\(routes.routes[session.route].name): client refused: \(message)",
            metadata: ["client": "\(session.clientName)", "suppressed": "\(suppressed)"])
    }
}

// MARK: - Read-only sessions

/// Reports about read-only sessions on a failover alias.
extension SessionEnvironment {
    /// A failover alias serves a session without the read-only guard: `read_only_opaque: allow`.
    func noteUnguarded(_ session: Session) {
        guard let suppressed = throttles.unguarded.allow(at: loop.now) else { return }
        log.info(
            """
            \(name(ofRouteOf: session)): \(session.clientName) → \(name(ofAliasOf: session)), encrypted or compressed: \
            served without the read-only guard
            """,
            metadata: ["suppressed": "\(suppressed)"])
    }

    /// A session ends because it could not be made read-only on its failover alias.
    ///
    /// - Returns: the message for the client.
    func refusal(unguarded session: Session, because reason: String) -> String {
        traffic.routes[session.route].refused += 1
        if let suppressed = throttles.refusals.allow(at: loop.now) {
            log.warning(
                """
                \(name(ofRouteOf: session)): client refused, cannot make its session on \
                \(name(ofAliasOf: session)) read-only
                """,
                metadata: ["client": "\(session.clientName)", "detail": "\(reason)", "suppressed": "\(suppressed)"])
        }
        return
            "\(name(ofRouteOf: session)): cannot make the session on \(name(ofAliasOf: session)) read-only: \(reason)"
    }

    /// How long an alias is remembered, in nanoseconds. After that time, the server may be a different pooler.
    private static let memory: UInt64 = 300_000_000_000

    /// The alias does not accept the start-up parameter that makes a session read-only.
    func noteNeedsStatement(_ alias: Int) { needsStatement[alias] = loop.now &+ Self.memory }

    /// The aliases that need a statement.
    func aliasesByStatement() -> Set<Int> {
        guard !needsStatement.isEmpty else { return [] }
        needsStatement = needsStatement.filter { $0.value > loop.now }
        return Set(needsStatement.keys)
    }

    private func name(ofRouteOf session: Session) -> String { routes.routes[session.route].name }

    private func name(ofAliasOf session: Session) -> String {
        session.machine.alias.map { routes.aliases[$0].name } ?? "-"
    }
}
