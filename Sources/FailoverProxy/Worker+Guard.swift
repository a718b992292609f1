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

    private func name(ofRouteOf session: Session) -> String { routes.routes[session.route].name }

    private func name(ofAliasOf session: Session) -> String {
        session.machine.alias.map { routes.aliases[$0].name } ?? "-"
    }
}
