package import FailoverCore
package import FailoverSystem

/// Pings a RabbitMQ server, or another that speaks AMQP 0-9-1.
package struct RabbitMQCheck: Sendable {
    private let check: AddressedCheck

    package init(server: RabbitMQServer, resolver: NameResolver, threads: BlockingThreads) {
        check = AddressedCheck(
            endpoint: server.endpoint, secret: server.password, driver: RabbitMQDriver(server: server),
            resolver: resolver, threads: threads)
    }

    /// Pings once.
    ///
    /// - Parameter limit: for the whole ping: name look-up, connect, TLS, login, a channel.
    package func ping(limit: Duration) async throws(PingFailure) {
        try await check.ping(limit: limit) { _ in }
    }
}
