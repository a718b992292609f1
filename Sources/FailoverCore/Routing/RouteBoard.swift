/// The one place where the route table changes; everyone who follows it gets each new table, in order.
public final class RouteBoard: Sendable {
    private struct State {
        var table: RouteTable
        var followers: [@Sendable (RouteTable) -> Void] = []
    }

    private let state: Lock<State>

    public init(_ table: RouteTable) {
        state = Lock(State(table: table))
    }

    /// The table of this moment.
    public var table: RouteTable { state.withLock { $0.table } }

    /// Calls `follower` with the present table and then with each new one. It must not wait or call back.
    public func follow(_ follower: @escaping @Sendable (RouteTable) -> Void) {
        state.withLock { state in
            state.followers.append(follower)
            follower(state.table)
        }
    }

    /// The alias went down: its routes move to the next alias that is up.
    public func markDown(alias: Int, because failure: PingFailure) {
        update(alias) { $0.outage = failure }
    }

    /// The alias is back: its routes return to it.
    public func markUp(alias: Int) {
        update(alias) { $0.outage = nil }
    }

    /// What new sessions should know of the alias while it is up has changed.
    public func setStanding(alias: Int, _ standing: ServiceStanding) {
        update(alias) { $0.standing = standing }
    }

    /// The alias was found in the wrong role, or no longer following its primary; or (`false`) to be as it should.
    public func setMustNotServe(alias: Int, _ mustNotServe: Bool) {
        update(alias) { $0.mustNotServe = mustNotServe }
    }

    /// The alias's data is too old for clients, or (`nil`) no longer.
    public func setStaleness(alias: Int, _ staleness: Staleness?) {
        update(alias) { $0.staleness = staleness }
    }

    /// The alias was found at these addresses.
    ///
    /// - Parameter server: which of several servers it is; sessions of the one that it was have to leave. `nil` of an alias
    ///   that is one.
    public func setAddresses(alias: Int, _ addresses: [SocketAddress], server: Endpoint? = nil) {
        update(alias) {
            $0.addresses = addresses
            if let former = $0.server, former != server { $0.moves += 1 }
            $0.server = server
        }
    }

    /// These routes take no new sessions, for these reasons, and no others; of several reasons of a route the first is told.
    public func replaceClosures(_ closures: [(route: Int, closure: RouteTable.Closure)]) {
        update { $0.replaceClosures(closures) }
    }

    /// The configuration has changed. Aliases and routes keep their positions: those that it has no longer are retired,
    /// new ones stand behind them.
    public func change(aliases: [AliasState], routes: [Route]) {
        update { $0.change(aliases: aliases, routes: routes) }
    }

    /// New sessions of the route prefer the alias, before all others; `nil` goes back to the configured order.
    public func pin(route: Int, to alias: Int?) {
        update { $0.pin(route: route, to: alias) }
    }

    /// The alias gets no new sessions while it is drained, and those it has move away.
    public func setDraining(alias: Int, _ isDraining: Bool) {
        update(alias) { $0.isDraining = isDraining }
    }

    /// The alias counts as down while its outage is rehearsed. What its pings find is marked as ever.
    public func setDrilled(alias: Int, _ isDrilled: Bool) {
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
