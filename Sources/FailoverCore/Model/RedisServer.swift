/// A Redis server and how a ping logs in to it.
public struct RedisServer: Hashable, Sendable {
    public var endpoint: Endpoint
    /// Who the ping logs in as; `nil` is Redis' default user.
    public var user: String?
    /// `nil` logs in as nobody.
    public var password: Secret?
    /// Number of the database, from 0.
    public var database: Int
    /// Whether the server speaks TLS; its certificate and name are verified.
    public var tls: Bool
    /// Path of a PEM file with the authorities to trust; `nil` is the system's.
    public var tlsAuthorities: String?

    public init(
        endpoint: Endpoint, user: String? = nil, password: Secret? = nil, database: Int = 0, tls: Bool = false,
        tlsAuthorities: String? = nil
    ) {
        self.endpoint = endpoint
        self.user = user
        self.password = password
        self.database = database
        self.tls = tls
        self.tlsAuthorities = tlsAuthorities
    }
}
