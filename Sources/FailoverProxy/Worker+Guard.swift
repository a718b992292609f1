import FailoverCore
import Logging

/// What is told of sessions on a failover alias that must not be written to.
extension Worker {
    /// A failover alias serves a session that nothing keeps from writing: `read_only_opaque: allow`.
    func noteUnguarded(_ session: Session) {
        guard let suppressed = journal.unguarded.allow(at: loop.now) else { return }
        log.info(
            """
            \(name(ofRouteOf: session)): \(session.clientName) → \(name(ofAliasOf: session)), encrypted or compressed: \
            nothing keeps it from writing
            """,
            metadata: ["suppressed": "\(suppressed)"])
    }

    /// A session ends because its failover alias could not be kept from being written to.
    ///
    /// - Returns: what its client is told.
    func refusal(unguarded session: Session, because words: String) -> String {
        traffic.routes[session.route].refused += 1
        let message = "\(name(ofRouteOf: session)): \(name(ofAliasOf: session)) must not be written to, but \(words)"
        if let suppressed = journal.refusals.allow(at: loop.now) {
            log.warning(
                "\(name(ofRouteOf: session)): client refused, \(name(ofAliasOf: session)) must not be written to",
                metadata: ["client": "\(session.clientName)", "detail": "\(words)", "suppressed": "\(suppressed)"])
        }
        return message
    }

    /// How long it is remembered of an alias, in nanoseconds: it may be another pooler by then.
    private static let memory: UInt64 = 300_000_000_000

    /// The alias takes no parameter by which a session is kept from writing.
    func noteNeedsStatement(_ alias: Int) { needsStatement[alias] = loop.now &+ Self.memory }

    /// The aliases of which that is known.
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
