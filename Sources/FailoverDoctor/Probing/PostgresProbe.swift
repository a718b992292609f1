import FailoverChecks
import FailoverCore
import FailoverSystem
import FailoverTLS

/// Asks a PostgreSQL server for its settings, its source and its limits. Values that the user has no permission to see
/// stay `nil`.
struct PostgresProbe: ServerExamination {
    let server: DatabaseServer

    /// Permissions differ between versions, so this query contains only what every user may read.
    private static let basics = PostgresQuestion(
        """
        SELECT pg_catalog.current_setting('server_version_num'), \
        pg_catalog.pg_is_in_recovery(), \
        EXTRACT(EPOCH FROM pg_catalog.pg_postmaster_start_time()), \
        pg_catalog.current_setting('default_transaction_read_only'), \
        (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'TimeZone' AND source <> 'client'), \
        pg_catalog.current_setting('max_connections'), \
        pg_catalog.current_setting('superuser_reserved_connections'), \
        COALESCE(pg_catalog.current_setting('reserved_connections', true), '0'), \
        (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE datid IS NOT NULL \
        AND (backend_type IS NULL OR backend_type = 'client backend') AND pid <> pg_catalog.pg_backend_pid() \
        AND COALESCE(application_name, '') <> 'failover'), \
        pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), \
        CASE WHEN NOT pg_catalog.pg_is_in_recovery() \
        THEN pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END
        """, called: "the settings query")
    private static let cluster = PostgresQuestion(
        "SELECT system_identifier FROM pg_catalog.pg_control_system()", called: "the system identifier query")
    private static let receiver = PostgresQuestion(
        "SELECT sender_host, sender_port, received_tli FROM pg_catalog.pg_stat_wal_receiver",
        called: "the WAL sender query")
    private static let clock = PostgresQuestion(
        "SELECT EXTRACT(EPOCH FROM pg_catalog.clock_timestamp())", called: "the clock query")

    func facts(_ attempt: PingAttempt) throws(PingFailure) -> ServerFacts? {
        let driver = PostgresDriver(server: server)
        let parameters = try PostgresParameters(server, attempt)
        guard var connection = PostgresConnection(parameters.list) else {
            throw attempt.failure(.local, "out of memory")
        }
        try driver.logIn(&connection, attempt)
        let certificate = connection.tlsSession.flatMap { CertificateFacts(peerOf: $0) }
        attempt.reached(.query)

        guard let row = try driver.rows(of: Self.basics, &connection, attempt).first, row.count == 11 else {
            throw attempt.failure(.protocolViolation, "unexpected answer to the settings query")
        }
        let cluster = try driver.visible(Self.cluster, &connection, attempt)?.first?.first ?? nil
        var facts = Self.facts(row, cluster: cluster)
        facts.certificate = certificate
        if row[9] != "t" {
            facts.lagGrant = PostgresReplication.seeingTheReceiver(server.user ?? "").statement
            facts.attestRemedy = facts.lagGrant?.asOneLine()
        }

        let asked = WallTime.now
        let time = try driver.visible(Self.clock, &connection, attempt)?.first?.first ?? nil
        if let seconds = time.flatMap(Double.init) {
            let server = WallTime(sinceEpoch: Duration(foreignSeconds: seconds))
            facts.clock = ClockReading(server: server, asked: asked, answered: .now)
        }
        facts.refusesReadOnlyParameter = (try? ReadOnlyParameter.isRefused(by: server, attempt)) ?? false
        if facts.topology.isReplica { try follow(&facts, driver, &connection, attempt) }
        do {
            _ = try driver.rows(of: PostgresQuestion(server.pingQuery, called: "the ping query"), &connection, attempt)
        } catch {
            facts.pingQueryFailure = error
        }
        return facts
    }

    /// Reads a replica's replication state.
    private func follow(
        _ facts: inout ServerFacts, _ driver: PostgresDriver, _ connection: inout PostgresConnection,
        _ attempt: PingAttempt
    ) throws(PingFailure) {
        let user = server.user ?? ""
        let rows = try driver.visible(PostgresReplication.question(user: user), &connection, attempt) ?? []
        if case .reading(let reading) = PostgresReplication.answer(in: rows) {
            facts.topology.stopped = reading.stopped?.asOneLine(hiding: server.password)
        }
        let receiver = try driver.visible(Self.receiver, &connection, attempt)?.first
        guard let receiver, receiver.count == 3, let host = receiver[0] else { return }
        facts.topology.timeline = receiver[2].flatMap { Int($0) }
        facts.topology.sources = [
            .init(
                host: host.asOneLine(hiding: server.password), port: receiver[1].flatMap { Int($0) } ?? 0)
        ]
    }

    /// - Parameter row: the answer to ``basics``.
    static func facts(_ row: [String?], cluster: String?) -> ServerFacts {
        let isReplica = row[1] == "t"
        // Since version 10, the major version is one number.
        let series = row[0].flatMap { Int($0) }.map { "\($0 / 10000)" } ?? "?"
        var topology = ReplicationTopology(isReplica: isReplica, isReadOnly: isReplica || row[3] == "on")
        topology.cluster = cluster?.asOneLine()
        topology.timeline = row[10].flatMap { Int($0, radix: 16) }
        var facts = ServerFacts(
            // The start time, to the microsecond. To see other identifying values, the user needs permissions.
            identity: "started \(row[2] ?? "")",
            version: ServerVersion(product: "PostgreSQL", series: series), topology: topology)
        facts.timeZone = row[4]?.asOneLine()
        let counts = [row[5], row[6], row[7], row[8]].map(ConnectionCounts.count)
        if let maximum = counts[0], let used = counts[3] {
            facts.connections = ConnectionCounts(
                maximum: maximum, reserved: (counts[1] ?? 0) + (counts[2] ?? 0), used: used)
        }
        return facts
    }
}

extension PostgresDriver {
    /// The rows of an answer; `nil` if the user has no permission, or the server does not know the query.
    fileprivate func visible(
        _ question: PostgresQuestion, _ connection: inout PostgresConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> [[String?]]? {
        do { return try rows(of: question, &connection, attempt) } catch {
            guard [.query, .missingPrivilege].contains(error.reason) else { throw error }
            return nil
        }
    }
}
