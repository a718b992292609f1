/// A RabbitMQ server, or another server that speaks AMQP 0-9-1, and how a ping logs in to it.
public struct RabbitMQServer: Hashable, Sendable {
    public var endpoint: Endpoint
    /// The user name of the ping. Default: `guest`, with the password `guest`.
    public var user: String
    public var password: Secret
    /// The virtual host in which the ping opens a channel. Default: `/`.
    public var virtualHost: String
    /// Whether the ping uses TLS. The certificate and the host name are always verified. Default: false.
    public var tls: Bool
    /// The path of a PEM file with the trusted certificate authorities; `nil`, the default, for the system's.
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
    /// The user name of the ping; `nil`, the default, for Redis' default user.
    public var user: String?
    /// The password of the ping. If user and password are both `nil`, the ping does not log in.
    public var password: Secret?
    /// The number of the database, from 0, which is the default.
    public var database: Int
    /// Whether the ping uses TLS. The certificate and the host name are always verified. Default: false.
    public var tls: Bool
    /// The path of a PEM file with the trusted certificate authorities; `nil`, the default, for the system's.
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
