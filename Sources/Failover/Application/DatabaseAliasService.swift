import FailoverChecks
import FailoverCore

/// A database alias that is pinged through its driver, and whose outage moves the routes that use it.
struct DatabaseAliasService: TimedService {
    let name: String
    let settings: MonitorSettings
    let check: ServerCheck
    let board: RouteBoard
    /// Position in the route table.
    let alias: Int
    /// Told when the alias has become stale, and (`nil`) when it is fresh again.
    let onStaleness: @Sendable (Staleness?) -> Void

    /// Told when the alias has become another of the servers that it may be.
    let onMove: @Sendable (_ former: Endpoint, _ server: Endpoint) -> Void

    /// A server that refuses the ping has as old data as it had, for `max_lag`; then its lag is unknown, and the alias stale. No
    /// failure makes a stale alias fresh.
    func ping(limit: Duration) async throws {
        let former = board.table.aliases[alias].server
        if let former { check.assume(former) }
        do throws(PingFailure) {
            try await check.ping(limit: limit) { found in
                guard found.replace(board.table.aliases[alias].addresses) else { return }
                board.setAddresses(alias: alias, found.addresses, server: found.server)
            }
        } catch {
            if error.reason.isOfRole { board.setMustNotServe(alias: alias, true) }
            if error.kind == .refusal, check.staleness != nil { followStaleness() }
            throw error
        }
        board.setMustNotServe(alias: alias, false)
        if let former, let server = board.table.aliases[alias].server, server != former { onMove(former, server) }
        followStaleness()
    }

    private func followStaleness() {
        let staleness = check.staleness
        let isChange = (board.table.aliases[alias].staleness == nil) != (staleness == nil)
        board.setStaleness(alias: alias, staleness)
        if isChange { onStaleness(staleness) }
    }

    func failover(because failure: PingFailure) async throws { board.markDown(alias: alias, because: failure) }

    func recover() async throws { board.markUp(alias: alias) }
}
