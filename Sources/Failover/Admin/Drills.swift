import FailoverCore

/// Outages that operators rehearse. Each ends by itself, whatever becomes of those who began it; and before its time when
/// it would leave a route with nobody who could serve, or has lost its alias or its route to a reload.
final class Drills: Sendable {
    private struct Drill {
        /// Tells it from a later one of the same alias.
        let number: Int
        let route: Int
        let until: WallTime
        let isForced: Bool
        let end: Task<Void, Never>
        let whenOver: @Sendable (String) -> Void
    }

    private struct State {
        /// By alias.
        var drills: [Int: Drill] = [:]
        var next = 0
    }

    private let board: RouteBoard
    private let environment: MonitorEnvironment
    private let state = Lock(State())

    init(board: RouteBoard, environment: MonitorEnvironment) {
        self.board = board
        self.environment = environment
        // A follower must not call back, nor take a lock under which the board is called.
        board.follow { [weak self] _ in Task { self?.review() } }
    }

    /// Until when the alias is drilled; `nil` when it is not.
    func until(alias: Int) -> WallTime? { state.withLock { $0.drills[alias]?.until } }

    /// Has the alias count as down for a time.
    ///
    /// - Parameters:
    ///   - isForced: even while it leaves a route with nobody who could serve.
    ///   - whenOver: called with the reason, in words, however it ends.
    /// - Returns: whether it began: not while another alias of the route is drilled, nor on a route where another is.
    func begin(
        _ alias: Int, onRoute route: Int, for duration: Duration, isForced: Bool,
        whenOver: @escaping @Sendable (String) -> Void
    ) -> Bool {
        let clock = environment.clock
        let time = clock.now.advanced(by: duration)
        let until = environment.timeOfDay().before(.zero - duration)
        return state.withLock { state in
            let routes = board.table.routes
            let isUnderWay = state.drills.contains { drilled, drill in
                routes[route].aliases.contains(drilled) || routes[drill.route].aliases.contains(alias)
            }
            guard !isUnderWay else { return false }
            state.next += 1
            let number = state.next
            let end = Task { [weak self] in
                guard (try? await clock.sleep(until: time)) != nil else { return }
                self?.end(alias, because: "its time has passed") { $0.number == number }
            }
            state.drills[alias] = Drill(
                number: number, route: route, until: until, isForced: isForced, end: end, whenOver: whenOver)
            board.setDrilled(alias: alias, true)
            return true
        }
    }

    /// - Returns: whether there was a drill on the route.
    func end(route: Int, because reason: String) -> Bool {
        guard let alias = state.withLock({ $0.drills.first { $1.route == route }?.key }) else { return false }
        return end(alias, because: reason) { $0.route == route }
    }

    /// Ends all.
    func endAll(because reason: String) {
        for alias in state.withLock({ Array($0.drills.keys) }) { end(alias, because: reason) { _ in true } }
    }

    @discardableResult
    private func end(_ alias: Int, because reason: String, if isMeant: (Drill) -> Bool) -> Bool {
        let drill = state.withLock { state -> Drill? in
            guard let drill = state.drills[alias], isMeant(drill) else { return nil }
            state.drills[alias] = nil
            drill.end.cancel()
            board.setDrilled(alias: alias, false)
            return drill
        }
        drill?.whenOver(reason)
        return drill != nil
    }

    /// Ends what must not go on as things are.
    private func review() {
        for (alias, drill) in state.withLock({ $0.drills }) {
            guard let reason = Self.reasonToEnd(drill, of: alias, board.table) else { continue }
            end(alias, because: reason) { $0.number == drill.number }
        }
    }

    private static func reasonToEnd(_ drill: Drill, of alias: Int, _ table: RouteTable) -> String? {
        let route = table.routes[drill.route]
        guard table.aliases[alias].isDrilled, !route.isRetired, route.aliases.contains(alias) else {
            return "the configuration has changed"
        }
        guard !drill.isForced, !table.routesStopped(byDrillOf: alias).isEmpty else { return nil }
        return "nobody else could serve any more"
    }
}
