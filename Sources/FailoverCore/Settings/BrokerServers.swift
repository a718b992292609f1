/// A RabbitMQ server, or another that speaks AMQP 0-9-1, and how a ping logs in to it.
public struct RabbitMQServer: Hashable, Sendable {
    public var endpoint: Endpoint
    public var user: String
    public var password: Secret
    public var virtualHost: String
    /// Whether the server speaks TLS; its certificate and name are verified.
    public var tls: Bool
    /// Path of a PEM file with the certificate authorities to trust; `nil` for the system's.
    public var tlsAuthorities: String?

    public init(
        endpoint: Endpoint, user: String = "guest", password: Secret = Secret("guest"), virtualHost: String = "/",
        tls: Bool = false, tlsAuthorities: String? = nil
    ) {
        self.endpoint = endpoint
        self.user = user
        self.password = password
        self.virtualHost = virtualHost
        self.tls = tls
        self.tlsAuthorities = tlsAuthorities
    }
}

/// A Redis server and how a ping logs in to it.
public struct RedisServer: Hashable, Sendable {
    public var endpoint: Endpoint
    /// User name of the ping; `nil` for Redis' default user.
    public var user: String?
    /// `nil` skips the login.
    public var password: Secret?
    /// Number of the database, from 0.
    public var database: Int
    /// Whether the server speaks TLS; its certificate and name are verified.
    public var tls: Bool
    /// Path of a PEM file with the certificate authorities to trust; `nil` for the system's.
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
