import FailoverAdmin
import FailoverCore
import FailoverProxy

extension ApplicationAdmin {
    func drill(
        route name: String, alias aliasName: String?, for duration: Duration, isForced: Bool
    ) throws(AdminError) -> String {
        let route = try route(named: name)
        let table = control.table
        let aliases = table.routes[route].aliases
        guard let alias = aliasName.map({ name in aliases.first { table.aliases[$0].name == name } }) ?? aliases.first
        else { throw .unknown("route \(name) has no alias \(aliasName ?? "at all")") }
        try refuseDrill(of: alias, route, table, isForced: isForced)
        let aliasName = table.aliases[alias].name
        guard control.drill(alias: alias, onRoute: route, for: duration, isForced: isForced) else {
            throw .conflict("a drill is already running on \(name)")
        }
        return note(.drill, name, "\(name): a drill has begun, \(aliasName) counts as down for \(duration.inWords)")
    }

    func endDrill(route name: String) throws(AdminError) -> String {
        guard control.endDrill(onRoute: try route(named: name), because: "an operator has ended it") else {
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
        if let outage = state.outage { throw .conflict("\(state.name) is already down: \(outage)") }
        if state.isDraining { throw .conflict("\(state.name) is drained; undrain it first") }
        let stopped = table.routesStopped(byDrillOf: alias).map { table.routes[$0].name }
        guard stopped.isEmpty || isForced else {
            throw .conflict(
                "only \(state.name) can serve \(stopped.joined(separator: ", ")) now; force starts the drill anyway")
        }
    }

    /// Writes the end of a switch or drill to the log and to the events.
    func note(_ ending: ControlState.Ending) {
        let table = control.table
        switch ending {
        case .pin(let route):
            let name = table.routes[route].name
            note(.release, name, "\(name) is released: the time of the switch is over")
        case .drill(let alias, let route, let reason):
            let (state, name) = (table.aliases[alias], table.routes[route].name)
            let fate =
                state.outage.map { "stays down: \($0)" }
                ?? (state.isRetired ? "is no longer configured" : "counts as up again")
            note(.drillEnd, name, "\(name): the drill is over, \(reason); \(state.name) \(fate)")
        }
    }
}
