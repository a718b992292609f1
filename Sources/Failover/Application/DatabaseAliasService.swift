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

    func ping(limit: Duration) async throws {
        try await check.ping(limit: limit) { board.setAddresses(alias: alias, $0) }
    }

    func failover(because failure: PingFailure) async throws { board.markDown(alias: alias, because: failure) }

    func recover() async throws { board.markUp(alias: alias) }
}
