import FailoverCore
import Synchronization

/// How many sessions there are, over all loops, and whether there may be another.
final class SessionRegistry: Sendable {
    private let routes: [Places]
    private let aliases: [Places]
    private let open = Atomic<Int>(0)
    private let numbers = Atomic<UInt64>(0)
    private let capacity: Int
    private let whenEmpty: AsyncStream<Void>.Continuation
    /// Yields whenever the last session has ended.
    let emptied: AsyncStream<Void>

    /// - Parameters:
    ///   - routeLimits: open sessions that each route may have.
    ///   - aliasLimits: sessions that each alias may serve, from the first attempt to connect.
    ///   - capacity: sessions that the process's descriptors are enough for.
    init(routeLimits: [Int?], aliasLimits: [Int?], capacity: Int) {
        routes = routeLimits.map(Places.init)
        aliases = aliasLimits.map(Places.init)
        self.capacity = capacity
        (emptied, whenEmpty) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Sessions of this moment.
    var count: Int { open.load(ordering: .relaxed) }

    /// Whether the descriptors are enough for one more.
    var hasRoom: Bool { count < capacity }

    /// Counts a session, be it one that is only told why it is not served.
    func noteOpened() { open.add(1, ordering: .relaxed) }

    /// The number of a new session.
    func nextNumber() -> UInt64 { numbers.add(1, ordering: .relaxed).newValue }

    /// Counts a session on the route, unless the route's limit is reached.
    func admit(route: Int) -> Bool { routes[route].take() }

    /// A session of the route has ended.
    ///
    /// - Parameter counted: whether it was counted on the route.
    func release(route: Int, counted: Bool) {
        if counted { routes[route].leave() }
        if open.subtract(1, ordering: .relaxed).newValue == 0 { whenEmpty.yield() }
    }

    /// Counts a session on the alias, unless the alias's limit is reached.
    func admit(alias: Int) -> Bool { aliases[alias].take() }

    /// Whether the alias serves sessions of any route.
    func holdsSessions(alias: Int) -> Bool { !aliases[alias].isEmpty }

    /// A session has left the alias.
    func release(alias: Int) { aliases[alias].leave() }
}
