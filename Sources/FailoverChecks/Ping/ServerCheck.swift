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
        guard server.passwordFile != nil else { return makeDriver(server) }
        return RotatedPasswordDriver(server: server, makeDriver: makeDriver)
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

/// Creates the checks of a process. They share one resolver and one thread pool.
package struct CheckFactory: Sendable {
    /// The factory that services share if a program creates them one by one.
    package static let shared = CheckFactory()

    package let resolver: NameResolver
    package let threads = BlockingThreads()

    package init() { resolver = NameResolver(threads: threads) }

    /// The check of a database server.
    package func check(of server: DatabaseServer) -> ServerCheck {
        ServerCheck(server: server, resolver: resolver, threads: threads)
    }

    /// The check of a Redis server.
    package func check(of server: RedisServer) -> ServerCheck {
        ServerCheck(server: server, resolver: resolver, threads: threads)
    }

    /// The check of a RabbitMQ server.
    package func check(of server: RabbitMQServer) -> ServerCheck {
        ServerCheck(server: server, resolver: resolver, threads: threads)
    }

    /// The check of a port, which only connects.
    package func check(of endpoint: Endpoint) -> ServerCheck {
        ServerCheck(endpoint: endpoint, resolver: resolver, threads: threads)
    }
}

/// Pings a database server whose password is in a file. If the server does not accept the password, the file is read
/// again. If the password has changed, it is tried at once.
final class RotatedPasswordDriver: PingDriver {
    private let server: Lock<DatabaseServer>
    private let makeDriver: @Sendable (DatabaseServer) -> any PingDriver

    init(server: DatabaseServer, makeDriver: @escaping @Sendable (DatabaseServer) -> any PingDriver) {
        self.server = Lock(server)
        self.makeDriver = makeDriver
    }

    func ping(_ attempt: PingAttempt) throws(PingFailure) -> ServerAnswer {
        var server = server.withLock { $0 }
        do {
            return try makeDriver(server).ping(attempt.hiding(server.password))
        } catch {
            guard error.reason == .authentication, let password = server.rotatedPassword else { throw error }
            server.password = password
        }
        self.server.withLock { [password = server.password] in $0.password = password }
        attempt.reached(.connecting)
        return try makeDriver(server).ping(attempt.hiding(server.password))
    }
}

extension DatabaseServer {
    /// The password in the password file, if it is another one now. The file is read as the configuration reads it:
    /// without its last newline.
    var rotatedPassword: Secret? {
        guard let passwordFile, var text = try? SmallFile(path: passwordFile, maximumSize: 64 << 10).text else {
            return nil
        }
        if text.last?.isNewline == true { text.removeLast() }
        guard !text.isEmpty, !text.utf8.contains(0) else { return nil }
        let found = Secret(text)
        return found == password ? nil : found
    }
}
