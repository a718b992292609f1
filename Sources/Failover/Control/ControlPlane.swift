import FailoverConfiguration
import FailoverCore
import FailoverNotify
import FailoverSystem

/// The only place where routes change. ``ControlState`` decides each event under one lock. No code waits under this
/// lock. Every follower receives each new table, in order.
///
/// This class uses a lock and is not an actor, because monitors, event loops and the admin plane report events
/// synchronously. An event is in effect when the call that reports it returns.
final class ControlPlane: Sendable {
    private struct Held {
        var state: ControlState
        var followers: [@Sendable (RouteTable) -> Void] = []
        var onEnding: @Sendable (ControlState.Ending) -> Void = { _ in }
        /// The time when the next pin or drill ends by itself.
        var wake: MonotonicTime?
        /// The task that waits for this time.
        var timer: Task<Void, Never>?
    }

    /// The settings to publish, with their version. The higher version is newer.
    struct Settings: Sendable {
        let version: Int
        let published: PublishedSettings
    }

    private let environment: MonitorEnvironment
    private let held: Lock<Held>

    init(_ table: RouteTable, services: [ServiceConfiguration], environment: MonitorEnvironment) {
        self.environment = environment
        held = Lock(Held(state: ControlState(table, services: services)))
    }

    /// The current state.
    var state: ControlState { held.withLock { $0.state } }

    /// The current table.
    var table: RouteTable { held.withLock { $0.state.table } }

    /// The current version of ``settings``.
    var settingsVersion: Int { held.withLock { $0.state.settingsVersion } }

    /// The current settings to publish.
    var settings: Settings {
        held.withLock { Settings(version: $0.state.settingsVersion, published: $0.state.settings) }
    }

    /// Calls `follower` with the current table, and then with each new one. `follower` must not wait and must not call
    /// this object.
    func follow(_ follower: @escaping @Sendable (RouteTable) -> Void) {
        held.withLock { held in
            held.followers.append(follower)
            follower(held.state.table)
        }
    }

    /// Calls `tell` for each pin or drill that ends without an operator, in order. `tell` may call this object.
    func onEnding(_ tell: @escaping @Sendable (ControlState.Ending) -> Void) { held.withLock { $0.onEnding = tell } }

    /// Applies an event. All changes use this method.
    @discardableResult
    private func apply(_ event: (inout ControlState) -> [ControlState.Ending]?) -> [ControlState.Ending]? {
        let (endings, tell) = held.withLock { held in
            let before = held.state.version
            let endings = event(&held.state)
            if held.state.version != before {
                for follower in held.followers { follower(held.state.table) }
            }
            arm(&held)
            return (endings, held.onEnding)
        }
        for ending in endings ?? [] { tell(ending) }
        return endings
    }

    private func arm(_ held: inout Held) {
        let wake = held.state.nextEnd
        guard held.wake != wake else { return }
        held.timer?.cancel()
        held.wake = wake
        held.timer = wake.map { wake in
            Task { [weak self, clock = environment.clock] in
                guard (try? await clock.sleep(until: wake)) != nil, let self else { return }
                self.held.withLock { if $0.wake == wake { $0.wake = nil } }
                self.apply { $0.expire(now: clock.now) }
            }
        }
    }
}

// MARK: - Events of monitors

extension ControlPlane {
    func note(_ facts: AliasFacts, ofAlias alias: Int) { apply { $0.note(facts, ofAlias: alias) } }

    func found(_ addresses: [Int: [SocketAddress]]) { apply { $0.found(addresses) } }

    func outage(_ failure: PingFailure, of unit: ControlState.Unit) { apply { $0.outage(failure, of: unit) } }

    func recovery(of unit: ControlState.Unit) { apply { $0.recovery(of: unit) } }
}

// MARK: - Actions of operators

extension ControlPlane {
    func pin(route: Int, to alias: Int, for duration: Duration?) {
        let (now, timeOfDay) = (environment.clock.now, environment.timeOfDay())
        apply { $0.pin(route: route, to: alias, for: duration, now: now, timeOfDay: timeOfDay) }
    }

    /// - Returns: whether the route was pinned.
    func release(route: Int) -> Bool { apply { $0.release(route: route) } != nil }

    func drain(alias: Int, _ isDraining: Bool) { apply { $0.drain(alias: alias, isDraining) } }

    /// - Returns: whether the drill has started. It does not start while another alias of the route is in a drill, or
    ///   this alias on another route.
    func drill(alias: Int, onRoute route: Int, for duration: Duration, isForced: Bool) -> Bool {
        let (now, timeOfDay) = (environment.clock.now, environment.timeOfDay())
        return apply {
            $0.drill(
                alias: alias, onRoute: route, for: duration, isForced: isForced, now: now, timeOfDay: timeOfDay)
        } != nil
    }

    /// - Returns: whether there was a drill on the route.
    func endDrill(onRoute route: Int, because reason: String) -> Bool {
        apply { $0.endDrill(onRoute: route, because: reason) }?.isEmpty == false
    }

    func endDrills(because reason: String) { apply { $0.endDrills(because: reason) } }
}

// MARK: - Reload

extension ControlPlane {
    func reconfigure(aliases: [AliasState], routes: [Route]) {
        apply { $0.reconfigure(aliases: aliases, routes: routes) }
    }

    func reconfigure(services: [ServiceConfiguration], down: [(service: String, member: String)]) {
        apply { $0.reconfigure(services: services, down: down) }
    }
}
