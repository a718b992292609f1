import FailoverCore
import FailoverSystem

/// Asks a PostgreSQL server which sessions are at a transaction boundary.
///
/// `pg_stat_activity` tells the state of each session; see "The Cumulative Statistics System" in the PostgreSQL manual.
/// A boundary is the state `idle` without a start of a transaction: after a Describe without a Sync, the state is still
/// `idle` and a transaction is open. In an aborted transaction there is no start, and the state tells it. With
/// `track_activities = off`, the state is `disabled`.
struct PostgresBoundaries: ~Copyable, BoundarySession {
    private let driver: PostgresDriver
    private let user: String
    private let own: SocketAddress
    private var connection: PostgresConnection

    init(_ server: DatabaseServer, _ attempt: PingAttempt) throws(PingFailure) {
        driver = PostgresDriver(server: server)
        user = server.user ?? ""
        let parameters = try PostgresParameters(server, attempt)
        guard var connection = PostgresConnection(parameters.list) else {
            throw attempt.failure(.local, "out of memory")
        }
        try driver.logIn(&connection, attempt)
        guard let own = SocketAddress.local(of: connection.descriptor),
            let peer = SocketAddress.peer(of: connection.descriptor), peer.isSameHostAndPort(as: attempt.address)
        else { throw attempt.failure(.other, "the connection is not to this address") }
        self.own = own
        self.connection = connection
    }

    mutating func answer(
        for sources: [SocketAddress], _ attempt: PingAttempt
    ) throws(PingFailure) -> BoundaryAnswer {
        attempt.reached(.question)
        var attested: Set<SocketAddress> = []
        for ports in BoundaryRows.ports(of: sources) {
            let rows = try driver.rows(of: Self.question(ports), &connection, attempt)
            let answer = Self.answer(rows, for: sources, own: own, user: user)
            guard case .attested(let part) = answer else { return answer }
            attested.formUnion(part)
        }
        return .attested(attested)
    }

    /// - Parameter ports: the source ports of the sessions.
    static func question(_ ports: [UInt16]) -> PostgresQuestion {
        PostgresQuestion(
            """
            SELECT pg_catalog.host(a.client_addr), a.client_port, a.state, a.xact_start IS NULL, a.backend_type, \
            a.pid = pg_catalog.pg_backend_pid(), \
            pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') \
            FROM pg_catalog.pg_stat_activity a \
            WHERE a.client_port IN (\(ports.map(String.init).joined(separator: ","))) \
            OR a.pid = pg_catalog.pg_backend_pid()
            """, called: "the query for the sessions' states")
    }

    /// - Parameters:
    ///   - rows: the answer to ``question(_:)``.
    ///   - user: the monitoring user, for the remedy.
    static func answer(
        _ rows: [[String?]], for sources: [SocketAddress], own: SocketAddress, user: String
    ) -> BoundaryAnswer {
        guard rows.allSatisfy({ $0.count == 7 }) else { return .failed("the list of sessions is inconsistent") }
        // Without the role, the states and addresses of other users' sessions are NULL.
        if let mine = rows.first(where: { $0[5] == "t" }), mine[6] != "t" {
            return .hidden(remedy: PostgresReplication.seeingTheReceiver(user).statement.asOneLine())
        }
        let listed = rows.map { row in
            BoundaryRow(
                source: row[0].flatMap { host in row[1].flatMap { BoundaryRow.Source(host: host, port: $0) } },
                isAtBoundary: row[2] == "idle" && row[3] == "t" && row[4] == "client backend", isOwn: row[5] == "t")
        }
        return BoundaryRows(rows: listed).answer(for: sources, own: own)
    }
}

extension SocketAddress {
    /// Whether both have the same IP address and port. The texts and the scopes may differ.
    func isSameHostAndPort(as other: SocketAddress) -> Bool {
        guard let one = BoundaryRow.Source(self), let other = BoundaryRow.Source(other) else { return false }
        return one == other
    }
}
