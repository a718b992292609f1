import Synchronization

/// How many sessions there are, over all loops, and whether there may be another.
final class SessionRegistry: Sendable {
    private final class RouteCount: Sendable {
        let open = Atomic<Int>(0)
        let limit: Int

        init(limit: Int?) { self.limit = limit ?? .max }
    }

    private let routes: [RouteCount]
    private let open = Atomic<Int>(0)
    private let capacity: Int
    private let whenEmpty: AsyncStream<Void>.Continuation
    /// Yields whenever the last session has ended.
    let emptied: AsyncStream<Void>

    /// - Parameters:
    ///   - limits: open sessions that each route may have.
    ///   - capacity: sessions that the process's descriptors are enough for.
    init(limits: [Int?], capacity: Int) {
        routes = limits.map(RouteCount.init)
        self.capacity = capacity
        (emptied, whenEmpty) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Sessions of this moment.
    var count: Int { open.load(ordering: .relaxed) }

    /// Whether the descriptors are enough for one more.
    var hasRoom: Bool { count < capacity }

    /// Counts a session of the route, unless the route's limit is reached.
    func admit(route: Int) -> Bool {
        let route = routes[route]
        guard route.open.add(1, ordering: .relaxed).newValue <= route.limit else {
            route.open.subtract(1, ordering: .relaxed)
            return false
        }
        open.add(1, ordering: .relaxed)
        return true
    }

    /// A session of the route has ended.
    func release(route: Int) {
        routes[route].open.subtract(1, ordering: .relaxed)
        if open.subtract(1, ordering: .relaxed).newValue == 0 { whenEmpty.yield() }
    }
}
