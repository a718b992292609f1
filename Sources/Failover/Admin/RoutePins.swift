import FailoverCore

/// Until when an operator has switched routes to aliases.
final class RoutePins: Sendable {
    private struct Pin {
        let until: WallTime?
        let end: Task<Void, Never>?
    }

    private let board: RouteBoard
    private let environment: MonitorEnvironment
    private let pins = Lock<[Int: Pin]>([:])

    init(board: RouteBoard, environment: MonitorEnvironment) {
        self.board = board
        self.environment = environment
    }

    /// Until when the route is pinned; `nil` when that is until it is released, or it is not.
    func until(route: Int) -> WallTime? { pins.withLock { $0[route]?.until } }

    /// Switches the route, for a time or until it is released.
    ///
    /// - Parameter whenOver: called if the time ends before anything else ends the pin.
    func pin(route: Int, to alias: Int, for duration: Duration?, whenOver: @escaping @Sendable () -> Void) {
        let clock = environment.clock
        let end = duration.map { duration in
            let time = clock.now.advanced(by: duration)
            return Task { [weak self] in
                guard (try? await clock.sleep(until: time)) != nil, self?.release(route: route) == true else { return }
                whenOver()
            }
        }
        let until = duration.map { environment.timeOfDay().before(.zero - $0) }
        pins.withLock { pins in
            pins[route]?.end?.cancel()
            pins[route] = Pin(until: until, end: end)
            board.pin(route: route, to: alias)
        }
    }

    /// A reload may have released routes, whose alias is no longer theirs.
    func forgetReleased() {
        pins.withLock { pins in
            for (route, pin) in pins where board.table.pin(ofRoute: route) == nil {
                pin.end?.cancel()
                pins[route] = nil
            }
        }
    }

    /// - Returns: whether it was pinned.
    @discardableResult
    func release(route: Int) -> Bool {
        pins.withLock { pins in
            guard let pin = pins.removeValue(forKey: route) else { return false }
            pin.end?.cancel()
            board.pin(route: route, to: nil)
            return true
        }
    }
}
