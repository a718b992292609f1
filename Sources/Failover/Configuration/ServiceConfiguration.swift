public import FailoverCore

/// One entry of `services`.
public struct ServiceConfiguration: Hashable, Sendable {
    /// What kind of thing is served or pinged.
    public enum Kind: Hashable, Sendable {
        /// `type: database`: a route over database aliases.
        case database(DatabaseRoute)
        /// Anything else: pinged, and moves no route.
        case watched(WatchedServer, MonitorSettings)
    }

    /// Letters, digits, `_`, `.` and `-`. Equal to an alias's name only if the service's route holds that alias.
    public var name: String
    /// The `type` and what belongs to it.
    public var kind: Kind
    /// Name/value pairs that are published while the service is down. `failover_settings`, none by default.
    public var failoverSettings: [String: String]
    /// The routes that refuse new sessions while the service is down. `close_during_outage`, none by default.
    public var closure: RouteClosure?

    public init(
        name: String, kind: Kind, failoverSettings: [String: String] = [:], closure: RouteClosure? = nil
    ) {
        self.name = name
        self.kind = kind
        self.failoverSettings = failoverSettings
        self.closure = closure
    }

    /// How many of the aliases that serve it side by side may be down before the service is.
    var spareMembers: Int {
        guard case .database(let route) = kind else { return 0 }
        return max(0, route.ownCount - route.minReplicas)
    }
}

/// Routes that refuse new sessions during an outage, and what they say: `close_during_outage`.
public struct RouteClosure: Hashable, Sendable {
    /// Names of services of type database; at least one.
    public var routes: [String]
    /// One line for the client, in its database's protocol.
    public var message: String

    public init(routes: [String], message: String) {
        self.routes = routes
        self.message = message
    }
}
