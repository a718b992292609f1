/// What the data plane needs to know.
public struct ProxyConfiguration: Sendable {
    /// In the order of ``RouteTable/routes``.
    public var routes: [ProxyRoute]
    /// Event loops, each on a thread of its own; at least 1.
    public var workers: Int

    public init(routes: [ProxyRoute], workers: Int) {
        self.routes = routes
        self.workers = max(1, workers)
    }
}
