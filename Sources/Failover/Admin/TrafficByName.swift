import FailoverCore
import FailoverProxy

/// The counts of sessions by the names of routes and aliases. After a reload, two may have the same name: one with a
/// new address or engine, and the former one. Their counts are added.
struct TrafficByName {
    struct OfRoute {
        let name: String
        /// The counts of the route as a whole.
        var counts: TrafficReport.OfRoute
        /// The sessions of each alias. The current aliases of the route come first.
        var aliases: [(name: String, sessions: Sessions)]
    }

    struct Sessions {
        var open = 0
        var served = 0
    }

    private(set) var routes: [OfRoute] = []
    private(set) var failures: [(alias: String, kinds: [BackendErrorKind: Int])] = []

    init(_ report: TrafficReport, _ table: RouteTable) {
        var positions: [String: Int] = [:]
        for (route, counts) in zip(table.routes, report.routes) {
            let position = positions[route.name] ?? routes.count
            positions[route.name] = position
            add(counts, of: route, table, at: position)
        }
        positions = [:]
        for (alias, kinds) in zip(table.aliases, report.failures) {
            let position = positions[alias.name] ?? failures.count
            positions[alias.name] = position
            if position == failures.count { failures.append((alias.name, [:])) }
            failures[position].kinds.merge(kinds, uniquingKeysWith: +)
        }
    }

    private mutating func add(_ counts: TrafficReport.OfRoute, of route: Route, _ table: RouteTable, at index: Int) {
        if index == routes.count {
            routes.append(OfRoute(name: route.name, counts: counts, aliases: []))
        } else {
            routes[index].counts.add(counts)
        }
        let others = counts.served.keys.filter { !route.aliases.contains($0) }.sorted()
        for alias in route.aliases + others {
            let name = table.aliases[alias].name
            let position = routes[index].aliases.firstIndex { $0.name == name } ?? routes[index].aliases.count
            if position == routes[index].aliases.count { routes[index].aliases.append((name, Sessions())) }
            routes[index].aliases[position].sessions.open += counts.open[alias] ?? 0
            routes[index].aliases[position].sessions.served += counts.served[alias] ?? 0
        }
    }
}
