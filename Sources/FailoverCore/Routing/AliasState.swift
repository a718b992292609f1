/// What the route table knows of one database alias.
public struct AliasState: Hashable, Sendable {
    public let name: String
    public let endpoint: Endpoint
    /// Where the endpoint was found at the latest ping, the address that answered first. Empty: not found yet.
    public internal(set) var addresses: [SocketAddress]
    /// Why the alias is down; `nil` while it is up.
    public internal(set) var outage: PingFailure?
    /// A session saw an error that no ping has answered yet.
    public internal(set) var isSuspect = false
    /// An operator takes it out of service: it gets no new sessions, and those it has move away.
    public internal(set) var isDraining = false

    public init(name: String, endpoint: Endpoint, addresses: [SocketAddress] = []) {
        self.name = name
        self.endpoint = endpoint
        self.addresses = addresses
    }
}
