import FailoverCore

/// What a route with `failover_read_only` asks of a session: that it does not write to a failover alias by accident.
struct ReadOnlyGuard: Equatable {
    /// The aliases that are not to be written to.
    let aliases: [Int]
    /// What becomes of a session that can't be kept from it.
    let opaque: SessionSettings.OpaquePolicy
    /// Those of PostgreSQL's that are known to take no parameter for it, and are told by a statement.
    let byStatement: Set<Int>

    /// Why a client that goes on before it is logged in is not served where a statement is needed.
    static let whyEarly = "a client that does not wait for its login can't be kept from writing there"
    /// Why an encrypted session is not served under `read_only_opaque: refuse`.
    static let whyEncrypted = "an encrypted session can't be kept from writing (read_only_opaque: refuse)"

    init(aliases: [Int], opaque: SessionSettings.OpaquePolicy, byStatement: Set<Int> = []) {
        self.aliases = aliases
        self.opaque = opaque
        self.byStatement = byStatement
    }

    init(_ table: RouteTable, route: Int, opaque: SessionSettings.OpaquePolicy, byStatement: Set<Int> = []) {
        self.init(
            aliases: table.routes[route].aliases.filter { table.isFailover(alias: $0, ofRoute: route) }, opaque: opaque,
            byStatement: byStatement)
    }
}
