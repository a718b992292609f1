/// What the route table knows of one database alias.
public struct AliasState: Hashable, Sendable {
    public let name: String
    public let endpoint: Endpoint
    /// Where the endpoint was found at the latest ping, the address that answered first. Empty: not found yet.
    public internal(set) var addresses: [SocketAddress]
    /// Why the alias is down; `nil` while it is up.
    public internal(set) var outage: PingFailure?
    /// Why the alias is not to serve although it is up; `nil` while it is fresh.
    public internal(set) var staleness: Staleness?
    /// A session saw an error that no ping has answered yet.
    public internal(set) var isSuspect = false
    /// An operator takes it out of service: it gets no new sessions, and those it has move away.
    public internal(set) var isDraining = false
    /// The configuration has it no longer; it is here for the sessions that it has.
    public let isRetired: Bool

    public init(name: String, endpoint: Endpoint, addresses: [SocketAddress] = [], isRetired: Bool = false) {
        self.name = name
        self.endpoint = endpoint
        self.addresses = addresses
        self.isRetired = isRetired
    }

    /// Gets no new sessions, and those that it has move away.
    public var isLeaving: Bool { isDraining || isRetired }

    /// Up and fresh, and to serve.
    package var isFit: Bool { outage == nil && staleness == nil && !isLeaving }

    /// Another state of the same server, with what is known of it.
    func changed(to other: AliasState) -> AliasState {
        var state = other
        state.addresses = addresses
        state.outage = outage
        state.staleness = staleness
        state.isSuspect = isSuspect
        // Who left and is back was put back.
        state.isDraining = isDraining && !other.isRetired
        return state
    }
}
