extension RouteTable {
    /// Whether sessions of the route are on another server than its own with this alias; so they are when an operator
    /// has switched the route to it.
    public func isFailover(alias: Int, ofRoute route: Int) -> Bool { !routes[route].own.contains(alias) }
}
