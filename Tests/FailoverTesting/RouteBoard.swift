package import FailoverCore
import FailoverSystem

/// A route table that a test changes; everyone who follows it gets each new table, in order.
package final class RouteBoard: Sendable {
    private struct State {
        var table: RouteTable
        var followers: [@Sendable (RouteTable) -> Void] = []
    }

    private let state: Lock<State>

    package init(_ table: RouteTable) {
        state = Lock(State(table: table))
    }

    /// The table of this moment.
    package var table: RouteTable { state.withLock { $0.table } }

    /// Calls `follower` with the present table and then with each new one. It must not wait or call back.
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

    /// What pings and sessions have told of the alias.
    package func set(alias: Int, _ facts: AliasFacts) { update(alias) { $0.take(facts) } }

    /// The alias was found at these addresses.
    package func setAddresses(alias: Int, _ addresses: [SocketAddress]) { update(alias) { $0.addresses = addresses } }

    /// These routes take no new sessions, for these reasons, and no others; of several reasons of a route the first is told.
    package func replaceClosures(_ closures: [(route: Int, closure: RouteTable.Closure)]) {
        update { $0.replaceClosures(closures) }
    }

    /// The configuration has changed. Aliases and routes keep their positions: those that it has no longer are retired,
    /// new ones stand behind them.
    package func change(aliases: [AliasState], routes: [Route]) {
        update { $0.change(aliases: aliases, routes: routes) }
    }

    /// New sessions of the route prefer the alias, before all others; `nil` goes back to the configured order.
    package func pin(route: Int, to alias: Int?) {
        update { $0.pin(route: route, to: alias) }
    }

    /// The alias gets no new sessions while it is drained, and those it has move away.
    package func setDraining(alias: Int, _ isDraining: Bool) {
        update(alias) { $0.isDraining = isDraining }
    }

    /// The alias counts as down while its outage is rehearsed. What its pings find is marked as ever.
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

/// One fact at a time; the others stay as they are known.
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
