/// What the route table knows about one database alias.
public struct AliasState: Hashable, Sendable {
    /// The name of the alias in the configuration.
    public let name: String
    public let endpoint: Endpoint
    /// Other possible servers of the alias.
    public let alternatives: [Endpoint]
    /// Which of its possible servers the alias is; `nil` until a ping has found one, and for an alias without
    /// alternatives.
    public package(set) var server: Endpoint?
    /// How often the alias has moved to another server.
    package var moves: UInt32 = 0
    /// How often the alias has gone down. An event loop may miss a table. By this number it detects that the alias was
    /// down in between.
    package var falls: UInt32 = 0
    /// The addresses that the latest ping found. The address that answered comes first. Empty until the name has been
    /// looked up.
    public package(set) var addresses: [SocketAddress]
    /// Why the alias is down; `nil` while it is up.
    public package(set) var outage: PingFailure?
    /// Whether an operator has started an outage drill: the alias counts as down, regardless of its pings.
    public package(set) var isDrilled = false
    /// Why the alias should not serve although it is up; `nil` while its data is fresh.
    public package(set) var staleness: Staleness?
    /// What new sessions need to know about the alias while it is up. It has no meaning while the alias is down.
    public package(set) var standing = ServiceStanding()
    /// Whether a ping found the server in the wrong role, or no longer following its primary, and no ping has succeeded
    /// since. Such an alias does not serve, even if no other alias is left.
    package var mustNotServe = false
    /// Whether an operator has drained the alias: it gets no new sessions, and its open sessions move away.
    public package(set) var isDraining = false
    /// Whether the alias is no longer in the configuration. It is kept for its open sessions.
    public let isRetired: Bool

    public init(
        name: String, endpoint: Endpoint, alternatives: [Endpoint] = [], addresses: [SocketAddress] = [],
        isRetired: Bool = false
    ) {
        self.name = name
        self.endpoint = endpoint
        self.alternatives = alternatives
        self.addresses = addresses
        self.isRetired = isRetired
    }

    /// The endpoint of the alias, as text. While the server is unknown, all possible endpoints.
    public var place: String {
        server.map(\.description) ?? ([endpoint] + alternatives).map(\.description).joined(separator: ", ")
    }

    /// Why the alias counts as down for routes and sessions, because of an outage or a drill; `nil` while it does
    /// not.
    public var failure: PingFailure? { outage ?? (isDrilled ? .drill : nil) }

    /// Whether the alias is up and suspect: see ``ServiceStanding/isSuspect``.
    public var isSuspect: Bool { outage == nil && standing.isSuspect }

    /// Whether the server refuses new sessions at present.
    public var refusesSessions: Bool { outage == nil && standing.availability != .open }

    /// Whether the alias gets no new sessions and its open sessions move away.
    public var isLeaving: Bool { isDraining || isRetired }

    /// Whether the alias is up, fresh and in service.
    package var isFit: Bool { failure == nil && staleness == nil && !isLeaving }

    /// Applies the facts that pings and sessions have found.
    package mutating func take(_ facts: AliasFacts) {
        if let place = facts.place {
            addresses = place.addresses
            if let server, server != place.server { moves &+= 1 }
            server = place.server
        }
        staleness = facts.staleness
        mustNotServe = facts.mustNotServe
        standing = facts.standing
    }

    /// Whether the other has the same name and the same possible servers.
    package func isSame(as other: AliasState) -> Bool {
        name == other.name && endpoint == other.endpoint && alternatives == other.alternatives
    }

    /// This alias with another configuration, and with everything that is known about its server. If another alias
    /// takes this position, it starts without this knowledge.
    func changed(to other: AliasState) -> AliasState {
        guard isSame(as: other) else { return other }
        var state = other
        state.addresses = addresses
        state.server = server
        state.moves = moves
        state.falls = falls
        // An alias that was removed and added again has a new monitor.
        let isBack = isRetired && !other.isRetired
        state.outage = isBack ? nil : outage
        state.staleness = isBack ? nil : staleness
        state.standing = isBack ? ServiceStanding() : standing
        state.mustNotServe = !isBack && mustNotServe
        state.isDrilled = isDrilled && !other.isRetired
        // An alias that was removed and added again is in service.
        state.isDraining = isDraining && !other.isRetired
        return state
    }
}
