package import FailoverCore
package import FailoverSystem

/// Pings one server as its kind asks for.
package struct ServerCheck: Sendable {
    private let candidates: Candidates

    private init(
        _ driver: any PingDriver, at endpoint: Endpoint, secret: Secret? = nil, _ resolver: NameResolver,
        _ threads: BlockingThreads
    ) {
        let check = AddressedCheck(
            endpoint: endpoint, secret: secret, driver: driver, resolver: resolver, threads: threads)
        candidates = Candidates([Candidates.Member(endpoint: endpoint, check: check, replica: nil)])
    }

    /// A database server: connects, logs in, runs the ping query, asks for role and replication if told to, says goodbye.
    /// Of one that may be several servers the one that has the role.
    ///
    /// - Parameters:
    ///   - identity: is told which server it is, if that is wanted.
    ///   - place: where replicas and their primaries compare positions.
    package init(
        server: DatabaseServer, identity: ServerIdentity? = nil, place: PrimaryPositions.Place? = nil,
        resolver: NameResolver, threads: BlockingThreads
    ) {
        candidates = Candidates(
            server.endpoints.map { endpoint in
                let server = server.at(endpoint)
                let replica = server.replication.map { ReplicaWatch(policy: $0) }
                let makeDriver = { @Sendable (server: DatabaseServer) -> any PingDriver in
                    switch server.engine {
                    case .postgres:
                        PostgresDriver(server: server, replica: replica, identity: identity, place: place)
                    case .mysql: MySQLDriver(server: server, replica: replica, identity: identity)
                    case .tcp: TCPDriver(proxyHeader: server.proxyHeader)
                    }
                }
                let driver =
                    server.passwordFile.map { file in
                        RotatedPasswordDriver(file: file, server: server, makeDriver: makeDriver)
                    } ?? makeDriver(server)
                let check = AddressedCheck(
                    endpoint: endpoint, secret: server.password, driver: driver, resolver: resolver, threads: threads)
                return Candidates.Member(endpoint: endpoint, check: check, replica: replica)
            })
    }

    /// A Redis server: logs in and asks. A replica that has lost its primary counts as down.
    package init(server: RedisServer, resolver: NameResolver, threads: BlockingThreads) {
        self.init(RedisDriver(server: server), at: server.endpoint, secret: server.password, resolver, threads)
    }

    /// A RabbitMQ server, or another that speaks AMQP 0-9-1: logs in and opens a channel.
    package init(server: RabbitMQServer, resolver: NameResolver, threads: BlockingThreads) {
        self.init(RabbitMQDriver(server: server), at: server.endpoint, secret: server.password, resolver, threads)
    }

    /// A port that is only connected to. Nothing is sent.
    package init(endpoint: Endpoint, resolver: NameResolver, threads: BlockingThreads) {
        self.init(TCPDriver(), at: endpoint, resolver, threads)
    }

    /// Why a database server that answers is not to serve, as its latest ping has it; `nil` while it is fresh.
    package var staleness: Staleness? { candidates.replica?.staleness }

    /// How far a database server is behind its primary, as its latest ping has it; `nil` when that does not know.
    package var lag: Duration? { candidates.replica?.lag }

    /// Begins with this one of several, which another check has found. Has no effect after the first ping that found one.
    package func assume(_ server: Endpoint) { candidates.assume(server) }

    /// Pings once. When an earlier ping of this check hangs in its C library until the limit, fails with `.timeout(.hung)`.
    ///
    /// - Parameters:
    ///   - limit: for the whole ping: name look-up, connect, TLS, login, questions. Several addresses share it.
    ///   - onAddresses: called with the resolved addresses, and once more when a server has answered at one of them, with
    ///     that in front. Of a server that may be several: called with the addresses of the one that it is, and which that
    ///     is, once it has answered or refused.
    package func ping(
        limit: Duration, onAddresses: @escaping @Sendable (FoundAddresses) -> Void = { _ in }
    ) async throws(PingFailure) {
        do {
            try await candidates.ping(limit: limit, report: onAddresses)
        } catch {
            candidates.replica?.pingFailed(error)
            throw error
        }
    }
}
