/// A RabbitMQ server, or another that speaks AMQP 0-9-1, and how a ping logs in to it.
public struct RabbitMQServer: Hashable, Sendable {
    public var endpoint: Endpoint
    public var user: String
    public var password: Secret
    public var virtualHost: String
    /// Whether the server speaks TLS; its certificate and name are verified.
    public var tls: Bool
    /// Path of a PEM file with the authorities to trust; `nil` is the system's.
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
