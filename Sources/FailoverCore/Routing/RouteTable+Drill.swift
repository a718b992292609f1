extension RouteTable {
    /// Positions of the routes that nobody serves, or would serve, for the one reason that an outage of the alias is
    /// rehearsed. A drill must not cause what it rehearses.
    public func routesStopped(byDrillOf alias: Int) -> [Int] {
        var (drilled, spared) = (self, self)
        drilled.update(alias: alias) { $0.isDrilled = true }
        spared.update(alias: alias) { $0.isDrilled = false }
        return routes.indices.filter { route in
            !routes[route].isRetired && drilled.candidates(ofRoute: route).isEmpty
                && !spared.candidates(ofRoute: route).isEmpty
        }
    }
}
