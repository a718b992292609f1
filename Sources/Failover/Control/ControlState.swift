import FailoverConfiguration
import FailoverCore
import FailoverNotify

/// Everything that decides where sessions go: aliases and routes, the actions of operators, and the effects of outages.
/// This is a value type. Its methods apply events, and return the pins and drills that ended by themselves.
struct ControlState: Sendable {
    /// A monitored target whose outages have effects.
    struct Unit: Hashable, Sendable {
        /// The services to which the target belongs, as the whole service or as one of several aliases. Its outage
        /// counts for each of them.
        let services: [String]
        /// The part of each service that the target is: the name of an alias, or of the service itself.
        let member: String
        /// The position of the alias whose routes move; `nil` if the target is not an alias.
        var alias: Int?
    }

    /// A pin or drill that ended without an action of an operator.
    enum Ending: Hashable, Sendable {
        case pin(route: Int)
        case drill(alias: Int, route: Int, reason: String)
    }

    private struct Pin {
        let until: WallTime?
        let end: MonotonicTime?
    }

    private struct Drill {
        let route: Int
        let until: WallTime
        let end: MonotonicTime
        let isForced: Bool
    }

    private(set) var table: RouteTable
    private var effects: OutageEffects
    /// The pins with their ends, by route.
    private var pins: [Int: Pin] = [:]
    /// The drills, by alias.
    private var drills: [Int: Drill] = [:]
    /// For each route, how often it has changed from a preferred alias to a failover alias.
    private(set) var failovers: [Int] = []
    /// For each route, the alias that new sessions try first.
    private var serving: [Int?] = []
    /// Increases with each change of the table.
    private(set) var version = 0
    /// Increases with each change of the published settings.
    private(set) var settingsVersion = 0

    init(_ table: RouteTable, services: [ServiceConfiguration]) {
        self.table = table
        effects = OutageEffects(services)
        countFailovers(onRoutes: table.routes.indices)
    }

    /// The settings to publish.
    var settings: PublishedSettings { effects.settings }

    // MARK: Events of monitors

    /// Applies facts about an alias that pings and sessions have reported.
    mutating func note(_ facts: AliasFacts, ofAlias alias: Int) -> [Ending] {
        change(alias) { $0.take(facts) }
    }

    /// Applies the addresses that were found, by the position of the alias.
    mutating func found(_ addresses: [Int: [SocketAddress]]) -> [Ending] {
        addresses.flatMap { alias, addresses in change(alias) { $0.addresses = addresses } }
    }

    /// Applies the event that an outage of the unit has begun.
    mutating func outage(_ failure: PingFailure, of unit: Unit) -> [Ending] {
        for service in unit.services { follow(effects.begin(service, member: unit.member)) }
        return unit.alias.map { change($0) { $0.outage = failure } } ?? []
    }

    /// Applies the event that the outage of the unit is over.
    mutating func recovery(of unit: Unit) -> [Ending] {
        for service in unit.services { follow(effects.end(service, member: unit.member)) }
        return unit.alias.map { change($0) { $0.outage = nil } } ?? []
    }

    // MARK: Actions of operators

    /// When the route's pin ends; `nil` if it lasts until it is released, or if there is none.
    func pinEnd(ofRoute route: Int) -> WallTime? { pins[route]?.until }

    /// Switches the route to an alias, for a time or until it is released.
    mutating func pin(
        route: Int, to alias: Int, for duration: Duration?, now: MonotonicTime, timeOfDay: WallTime
    ) -> [Ending] {
        pins[route] = Pin(
            until: duration.map { timeOfDay.before(.zero - $0) }, end: duration.map { now.advanced(by: $0) })
        return change([route], table.pin(route: route, to: alias))
    }

    /// Ends the switch of a route. Returns `nil` if there is none.
    mutating func release(route: Int) -> [Ending]? {
        guard pins.removeValue(forKey: route) != nil else { return nil }
        return change([route], table.pin(route: route, to: nil))
    }

    /// Takes an alias out of service, or puts it back.
    mutating func drain(alias: Int, _ isDraining: Bool) -> [Ending] {
        change(alias) { $0.isDraining = isDraining }
    }

    /// When the alias's drill ends; `nil` if there is none.
    func drillEnd(ofAlias alias: Int) -> WallTime? { drills[alias]?.until }

    /// Makes the alias count as down for a time.
    ///
    /// - Parameter isForced: starts the drill even if it leaves a route without an alias that can serve.
    /// - Returns: `nil` if the drill does not start, because another alias of the route is in a drill, or this alias on
    ///   another route.
    mutating func drill(
        alias: Int, onRoute route: Int, for duration: Duration, isForced: Bool, now: MonotonicTime, timeOfDay: WallTime
    ) -> [Ending]? {
        let isUnderWay = drills.contains { drilled, drill in
            table.routes[route].aliases.contains(drilled) || table.routes[drill.route].aliases.contains(alias)
        }
        guard !isUnderWay else { return nil }
        drills[alias] = Drill(
            route: route, until: timeOfDay.before(.zero - duration), end: now.advanced(by: duration), isForced: isForced
        )
        return change(alias) { $0.isDrilled = true }
    }

    /// Ends the drill on a route. Returns an empty array if there is none.
    mutating func endDrill(onRoute route: Int, because reason: String) -> [Ending] {
        drills.filter { $1.route == route }.keys.flatMap { endDrill(ofAlias: $0, because: reason) }
    }

    /// Ends all drills.
    mutating func endDrills(because reason: String) -> [Ending] {
        drills.keys.sorted().flatMap { endDrill(ofAlias: $0, because: reason) }
    }

    // MARK: Time and configuration

    /// The time when the next pin or drill ends by itself.
    var nextEnd: MonotonicTime? { (pins.values.compactMap(\.end) + drills.values.map(\.end)).min() }

    /// Ends the pins and drills that have expired.
    mutating func expire(now: MonotonicTime) -> [Ending] {
        let over = pins.filter { $1.end.map { $0 <= now } ?? false }.keys.sorted()
        let released = over.flatMap { route in
            release(route: route).map { [.pin(route: route)] + $0 } ?? []
        }
        let drilled = drills.filter { $1.end <= now }.keys.sorted()
        return released + drilled.flatMap { endDrill(ofAlias: $0, because: "its time has passed") }
    }

    /// Applies the aliases and routes of another configuration. Existing ones keep their positions. A pin is released
    /// if its route no longer has the alias.
    mutating func reconfigure(aliases: [AliasState], routes: [Route]) -> [Ending] {
        let others = zip(table.routes, routes).enumerated().filter { $1.0.name != $1.1.name }.map(\.offset)
        table.change(aliases: aliases, routes: routes)
        table.replaceClosures(effects.closures(table))
        for route in others { (failovers[route], serving[route]) = (0, table.selection(ofRoute: route).alias) }
        let endings = change(table.routes.indices)
        for route in pins.keys where table.pin(ofRoute: route) == nil { pins[route] = nil }
        return endings
    }

    /// Applies the services of another configuration.
    ///
    /// - Parameter down: the services and the parts of them that are down.
    mutating func reconfigure(
        services: [ServiceConfiguration], down: [(service: String, member: String)]
    ) -> [Ending] {
        effects.change(to: services, down: down)
        follow([.closures, .settings])
        return []
    }
}

// MARK: - Effects of each change

extension ControlState {
    private mutating func change(_ alias: Int, _ body: (inout AliasState) -> Void) -> [Ending] {
        change(table.routes(ofAlias: alias), table.update(alias: alias, body))
    }

    /// Updates what depends on these routes: the version, the counts of failovers, and drills that must end.
    ///
    /// - Parameter isChanged: whether the routes have changed. If not, nothing happens.
    private mutating func change(_ routes: some Sequence<Int>, _ isChanged: Bool = true) -> [Ending] {
        guard isChanged else { return [] }
        version += 1
        countFailovers(onRoutes: routes)
        return drills.keys.sorted().flatMap { alias in
            reasonToEnd(alias).map { endDrill(ofAlias: alias, because: $0) } ?? []
        }
    }

    private mutating func follow(_ change: OutageEffects.Change) {
        if change.contains(.closures), table.replaceClosures(effects.closures(table)) { version += 1 }
        if change.contains(.settings) { settingsVersion += 1 }
    }

    private mutating func endDrill(ofAlias alias: Int, because reason: String) -> [Ending] {
        guard let drill = drills.removeValue(forKey: alias) else { return [] }
        return [.drill(alias: alias, route: drill.route, reason: reason)]
            + change(alias) { $0.isDrilled = false }
    }

    /// Why a drill must end now; `nil` if it can continue.
    private func reasonToEnd(_ alias: Int) -> String? {
        guard let drill = drills[alias] else { return nil }
        let route = table.routes[drill.route]
        guard table.aliases[alias].isDrilled, !route.isRetired, route.aliases.contains(alias) else {
            return "the configuration has changed"
        }
        guard !drill.isForced, !table.routesStopped(byDrillOf: alias).isEmpty else { return nil }
        return "no other alias can serve now"
    }

    private mutating func countFailovers(onRoutes routes: some Sequence<Int>) {
        let added = max(0, table.routes.count - serving.count)
        serving += (serving.count..<serving.count + added).map { table.selection(ofRoute: $0).alias }
        failovers += Array(repeating: 0, count: added)
        for route in routes {
            let (former, now) = (serving[route], table.selection(ofRoute: route).alias)
            serving[route] = now
            guard let now, let former else { continue }
            let own = table.routes[route].preferred
            if own.contains(former), !own.contains(now) { failovers[route] += 1 }
        }
    }
}
