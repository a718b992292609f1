/// What the route table knows of one database alias.
public struct AliasState: Hashable, Sendable {
    public let name: String
    public let endpoint: Endpoint
    /// Other servers that the alias may be instead.
    public let alternatives: [Endpoint]
    /// Which of several servers the alias is; `nil` until one was found, and of an alias that has no alternatives.
    public internal(set) var server: Endpoint?
    /// How often the alias has become another server than it was.
    package internal(set) var moves: UInt32 = 0
    /// Where the endpoint was found at the latest ping, the address that answered first. Empty: not found yet.
    public internal(set) var addresses: [SocketAddress]
    /// Why the alias is down; `nil` while it is up.
    public internal(set) var outage: PingFailure?
    /// An operator rehearses its outage: it counts as down, whatever its pings say.
    public internal(set) var isDrilled = false
    /// Why the alias is not to serve although it is up; `nil` while it is fresh.
    public internal(set) var staleness: Staleness?
    /// What new sessions should know of it while it is up; means nothing while it is down.
    public internal(set) var standing = ServiceStanding()
    /// Its latest ping that could tell found it in the wrong role, or no longer following its primary: it is not served
    /// from even when nobody else is left.
    package internal(set) var mustNotServe = false
    /// An operator takes it out of service: it gets no new sessions, and those it has move away.
    public internal(set) var isDraining = false
    /// The configuration has it no longer; it is here for the sessions that it has.
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

    /// Where it is, or all places where it may be while nobody knows, for people.
    public var place: String {
        server.map(\.description) ?? ([endpoint] + alternatives).map(\.description).joined(separator: ", ")
    }

    /// Why it counts as down for routes and sessions, in truth or in a drill; `nil` while it does not.
    public var failure: PingFailure? { outage ?? (isDrilled ? .drill : nil) }

    /// Sessions saw errors that no ping has answered yet.
    public var isSuspect: Bool { outage == nil && standing.isSuspect }

    /// Whether its server refuses new sessions, for now.
    public var refusesSessions: Bool { outage == nil && standing.availability != .open }

    /// Gets no new sessions, and those that it has move away.
    public var isLeaving: Bool { isDraining || isRetired }

    /// Up and fresh, and to serve.
    package var isFit: Bool { failure == nil && staleness == nil && !isLeaving }

    /// Another state of the same server, with what is known of it.
    func changed(to other: AliasState) -> AliasState {
        var state = other
        state.addresses = addresses
        state.server = server
        state.moves = moves
        // One that was gone and is back has a monitor that begins anew.
        let isBack = isRetired && !other.isRetired
        state.outage = isBack ? nil : outage
        state.staleness = isBack ? nil : staleness
        state.standing = isBack ? ServiceStanding() : standing
        state.mustNotServe = !isBack && mustNotServe
        state.isDrilled = isDrilled && !other.isRetired
        // Who left and is back was put back.
        state.isDraining = isDraining && !other.isRetired
        return state
    }
}
