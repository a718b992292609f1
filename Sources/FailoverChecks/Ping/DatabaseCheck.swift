package import FailoverCore
package import FailoverSystem

/// Pings a database server: connects, logs in, runs the ping query, says goodbye.
package struct DatabaseCheck: Sendable {
    private let check: AddressedCheck

    package init(server: DatabaseServer, resolver: NameResolver, threads: BlockingThreads) {
        let driver: any PingDriver =
            switch server.engine {
            case .postgres: PostgresDriver(server: server)
            case .mysql: MySQLDriver(server: server)
            case .tcp: TCPDriver()
            }
        check = AddressedCheck(
            endpoint: server.endpoint, secret: server.password, driver: driver, resolver: resolver, threads: threads)
    }

    /// Pings once. While an earlier ping of this check still hangs in its C library, fails with `.timeout(.hung)`.
    ///
    /// - Parameters:
    ///   - limit: for the whole ping: name look-up, connect, TLS, login, query. Several addresses share it.
    ///   - onAddresses: called with the resolved addresses, and once more if another than the first one answered, with
    ///     the one that did in front.
    package func ping(
        limit: Duration, onAddresses: @escaping @Sendable ([SocketAddress]) -> Void = { _ in }
    ) async throws(PingFailure) {
        try await check.ping(limit: limit, report: onAddresses)
    }
}
