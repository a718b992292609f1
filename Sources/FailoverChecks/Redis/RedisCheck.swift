package import FailoverCore
package import FailoverSystem

/// Pings a Redis server; a replica that has lost its primary counts as down.
package struct RedisCheck: Sendable {
    private let check: AddressedCheck

    package init(server: RedisServer, resolver: NameResolver, threads: BlockingThreads) {
        check = AddressedCheck(
            endpoint: server.endpoint, secret: server.password, driver: RedisDriver(server: server),
            resolver: resolver, threads: threads)
    }

    /// Pings once.
    ///
    /// - Parameter limit: for the whole ping: name look-up, connect, TLS, login, questions.
    package func ping(limit: Duration) async throws(PingFailure) {
        try await check.ping(limit: limit) { _ in }
    }
}
