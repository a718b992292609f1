package import FailoverCore
package import FailoverSystem

/// Pings one server, with the driver for its kind.
package struct ServerCheck: Sendable {
    private let servers: AlternativeServers

    private init(
        _ driver: AddressedCheck.Driving, at endpoint: Endpoint, secret: Secret? = nil, _ resolver: NameResolver,
        _ threads: BlockingThreads
    ) {
        let check = AddressedCheck(
            endpoint: endpoint, secret: secret, driver: driver, resolver: resolver, threads: threads)
        servers = AlternativeServers(members: [check])
    }

    /// The check of a database server. A ping connects, logs in, runs the ping query, queries role and replication if
    /// configured, and ends the session. With alternative servers, it finds the one that has the role.
    package init(server: DatabaseServer, resolver: NameResolver, threads: BlockingThreads) {
        servers = AlternativeServers(
            members: server.endpoints.map { endpoint in
                AddressedCheck(
                    endpoint: endpoint, secret: server.password, driver: Self.driver(of: server.at(endpoint)),
                    resolver: resolver, threads: threads)
            })
    }

    private static func driver(of server: DatabaseServer) -> AddressedCheck.Driving {
        switch server.engine {
        case .postgres: .blocking(driver(of: server) { PostgresDriver(server: $0) })
        case .mysql: .blocking(driver(of: server) { MySQLDriver(server: $0) })
        case .tcp: .waiting(TCPDriver(proxyHeader: server.proxyHeader))
        }
    }

    private static func driver(
        of server: DatabaseServer, _ makeDriver: @escaping @Sendable (DatabaseServer) -> any PingDriver
    ) -> any PingDriver {
        guard let file = server.passwordFile else { return makeDriver(server) }
        return RotatedPasswordDriver(file: file, server: server, makeDriver: makeDriver)
    }

    /// The check of a Redis server. A ping logs in and queries the state. A replica that has lost its primary counts as
    /// down.
    package init(server: RedisServer, resolver: NameResolver, threads: BlockingThreads) {
        self.init(
            .blocking(RedisDriver(server: server)), at: server.endpoint, secret: server.password, resolver, threads)
    }

    /// The check of a RabbitMQ server or another AMQP 0-9-1 server. A ping logs in and opens a channel.
    package init(server: RabbitMQServer, resolver: NameResolver, threads: BlockingThreads) {
        self.init(
            .blocking(RabbitMQDriver(server: server)), at: server.endpoint, secret: server.password, resolver, threads)
    }

    /// The check of a port. A ping only connects, and sends nothing.
    package init(endpoint: Endpoint, resolver: NameResolver, threads: BlockingThreads) {
        self.init(.waiting(TCPDriver()), at: endpoint, resolver, threads)
    }

    /// Pings once. All addresses share the time limit. If an earlier ping of this check has not returned by the limit,
    /// the failure is `.timeout(.hung)`.
    package func answer(_ request: PingRequest) async -> PingAnswer { await servers.answer(request) }

    /// Pings once, for callers that need only the failure.
    package func ping(limit: Duration) async throws(PingFailure) {
        if let failure = await answer(PingRequest(limit: limit)).failure { throw failure }
    }
}
