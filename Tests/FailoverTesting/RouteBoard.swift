package import FailoverCore
import FailoverSystem

/// A route table that a test changes. Each follower gets each new table, in order.
package final class RouteBoard: Sendable {
    private struct State {
        var table: RouteTable
        var followers: [@Sendable (RouteTable) -> Void] = []
    }

    private let state: Lock<State>

    package init(_ table: RouteTable) {
        state = Lock(State(table: table))
    }

    /// The current table.
    package var table: RouteTable { state.withLock { $0.table } }

    /// Calls `follower` with the current table and then with each new one. It must not block or call back.
    package func follow(_ follower: @escaping @Sendable (RouteTable) -> Void) {
        state.withLock { state in
            state.followers.append(follower)
            follower(state.table)
        }
    }

    /// The alias went down: its routes move to the next alias that is up.
    package func markDown(alias: Int, because failure: PingFailure) {
        update(alias) { $0.outage = failure }
    }

    /// The alias is back: its routes return to it.
    package func markUp(alias: Int) {
        update(alias) { $0.outage = nil }
    }

    /// The alias went down and is back, and followers get only the table after both.
    package func markDownAndUp(alias: Int, because failure: PingFailure) {
        update { table in
            table.update(alias: alias) { $0.outage = failure }
            table.update(alias: alias) { $0.outage = nil }
        }
    }

    /// Sets what pings and sessions have found out about the alias.
    package func set(alias: Int, _ facts: AliasFacts) { update(alias) { $0.take(facts) } }

    /// The alias was found at these addresses.
    package func setAddresses(alias: Int, _ addresses: [SocketAddress]) { update(alias) { $0.addresses = addresses } }

    /// Closes exactly these routes, for these reasons. If a route has several reasons, the first one counts.
    package func replaceClosures(_ closures: [(route: Int, closure: RouteTable.Closure)]) {
        update { $0.replaceClosures(closures) }
    }

    /// Applies a changed configuration. Aliases and routes keep their positions. Removed ones are retired, and new
    /// ones follow at the end.
    package func change(aliases: [AliasState], routes: [Route]) {
        update { $0.change(aliases: aliases, routes: routes) }
    }

    /// Makes new sessions of the route prefer the alias to all others; `nil` restores the configured order.
    package func pin(route: Int, to alias: Int?) {
        update { $0.pin(route: route, to: alias) }
    }

    /// Drains the alias: it gets no new sessions, and its open sessions move away.
    package func setDraining(alias: Int, _ isDraining: Bool) {
        update(alias) { $0.isDraining = isDraining }
    }

    /// Starts or ends a drill of the alias, during which it counts as down. The results of its pings are recorded as
    /// usual.
    package func setDrilled(alias: Int, _ isDrilled: Bool) {
        update(alias) { $0.isDrilled = isDrilled }
    }

    private func update(_ alias: Int, _ change: (inout AliasState) -> Void) {
        update { $0.update(alias: alias, change) }
    }

    private func update(_ change: (inout RouteTable) -> Void) {
        state.withLock { state in
            let before = state.table
            change(&state.table)
            guard state.table != before else { return }
            for follower in state.followers { follower(state.table) }
        }
    }
}

/// Changes one fact at a time. The others stay as they are.
extension RouteBoard {
    /// Sessions suspect the alias, or no longer do.
    package func setSuspect(alias: Int, _ isSuspect: Bool) {
        setStanding(alias: alias, ServiceStanding(isSuspect: isSuspect))
    }

    package func setStanding(alias: Int, _ standing: ServiceStanding) { change(alias) { $0.standing = standing } }

    package func setStaleness(alias: Int, _ staleness: Staleness?) { change(alias) { $0.staleness = staleness } }

    package func setMustNotServe(alias: Int, _ mustNotServe: Bool) { change(alias) { $0.mustNotServe = mustNotServe } }

    package func setAddresses(alias: Int, _ addresses: [SocketAddress], server: Endpoint?) {
        change(alias) { $0.place = ServerLocation(addresses, server: server, isTested: true) }
    }

    private func change(_ alias: Int, _ change: (inout AliasFacts) -> Void) {
        let state = table.aliases[alias]
        var facts = AliasFacts(
            staleness: state.staleness, mustNotServe: state.mustNotServe, standing: state.standing)
        change(&facts)
        set(alias: alias, facts)
    }
}
