public import FailoverCore

/// The `admin` section: where the API, the status page and the metrics are served, and to whom.
public struct AdminConfiguration: Hashable, Sendable {
    /// At least one.
    public var listen: [Endpoint]
    /// What clients must show; not those of a Unix socket. Always there when it listens beyond this machine.
    public var token: Secret?

    public init(listen: [Endpoint], token: Secret? = nil) {
        self.listen = listen
        self.token = token
    }
}
