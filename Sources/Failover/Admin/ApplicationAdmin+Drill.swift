import FailoverAdmin
import FailoverCore

extension ApplicationAdmin {
    func drill(
        route name: String, alias aliasName: String?, for duration: Duration, isForced: Bool
    ) throws(AdminError) -> String {
        let route = try route(named: name)
        let table = board.table
        let aliases = table.routes[route].aliases
        guard let alias = aliasName.map({ name in aliases.first { table.aliases[$0].name == name } }) ?? aliases.first
        else { throw .unknown("route \(name) has no alias \(aliasName ?? "at all")") }
        try refuseDrill(of: alias, route, table, isForced: isForced)
        let aliasName = table.aliases[alias].name
        let hasBegun = drills.begin(alias, onRoute: route, for: duration, isForced: isForced) { [weak self] reason in
            self?.noteEnd(ofDrillOf: alias, name, reason)
        }
        guard hasBegun else { throw .conflict("a drill is under way on \(name) already") }
        return note(.drill, name, "\(name): a drill has begun, \(aliasName) counts as down for \(duration.inWords)")
    }

    func endDrill(route name: String) throws(AdminError) -> String {
        guard drills.end(route: try route(named: name), because: "an operator has ended it") else {
            throw .conflict("there is no drill on \(name)")
        }
        return "the drill on \(name) is over"
    }

    private func refuseDrill(
        of alias: Int, _ route: Int, _ table: RouteTable, isForced: Bool
    ) throws(AdminError) {
        let state = table.aliases[alias]
        if let closure = table.closure(ofRoute: route) {
            throw .conflict("\(table.routes[route].name) is closed by the outage of \(closure.service)")
        }
        if let outage = state.outage { throw .conflict("\(state.name) is down as it is: \(outage)") }
        if state.isDraining { throw .conflict("\(state.name) is drained; undrain it first") }
        let stopped = table.routesStopped(byDrillOf: alias).map { table.routes[$0].name }
        guard stopped.isEmpty || isForced else {
            throw .conflict(
                "nobody but \(state.name) could serve \(stopped.joined(separator: ", ")) now; only force drills it")
        }
    }

    private func noteEnd(ofDrillOf alias: Int, _ route: String, _ reason: String) {
        let state = board.table.aliases[alias]
        let fate = state.outage.map { "stays down: \($0)" } ?? (state.isRetired ? "is gone" : "counts as up again")
        note(.drillEnd, route, "\(route): the drill is over, \(reason); \(state.name) \(fate)")
    }
}
