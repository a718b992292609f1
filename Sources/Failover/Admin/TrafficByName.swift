import FailoverCore
import FailoverProxy

/// What sessions have done, by the names of routes and aliases. A reload may leave several of one name: one whose
/// address or engine has changed, and the former one.
struct TrafficByName {
    struct OfRoute {
        let name: String
        /// Of all but its aliases.
        var counts: TrafficReport.OfRoute
        /// Sessions of each alias, its own first.
        var aliases: [(name: String, sessions: Sessions)]
    }

    struct Sessions {
        var open = 0
        var served = 0
    }

    private(set) var routes: [OfRoute] = []
    private(set) var failures: [(alias: String, kinds: [BackendErrorKind: Int])] = []

    init(_ report: TrafficReport, _ table: RouteTable) {
        for (route, counts) in zip(table.routes, report.routes) { add(counts, of: route, table) }
        for (alias, kinds) in zip(table.aliases, report.failures) {
            if let index = failures.firstIndex(where: { $0.alias == alias.name }) {
                failures[index].kinds.merge(kinds, uniquingKeysWith: +)
            } else {
                failures.append((alias.name, kinds))
            }
        }
    }

    private mutating func add(_ counts: TrafficReport.OfRoute, of route: Route, _ table: RouteTable) {
        let index: Int
        if let known = routes.firstIndex(where: { $0.name == route.name }) {
            index = known
            routes[known].counts.add(counts)
        } else {
            index = routes.count
            routes.append(OfRoute(name: route.name, counts: counts, aliases: []))
        }
        let others = counts.served.indices.filter { counts.served[$0] > 0 && !route.aliases.contains($0) }
        for alias in route.aliases + others where alias < counts.served.count {
            let name = table.aliases[alias].name
            let position = routes[index].aliases.firstIndex { $0.name == name } ?? routes[index].aliases.count
            if position == routes[index].aliases.count { routes[index].aliases.append((name, Sessions())) }
            routes[index].aliases[position].sessions.open += counts.open[alias]
            routes[index].aliases[position].sessions.served += counts.served[alias]
        }
    }
}
