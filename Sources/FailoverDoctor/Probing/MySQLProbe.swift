import FailoverChecks
import FailoverCore
import FailoverSystem
import FailoverTLS

/// Asks a MySQL or MariaDB server for its settings, its sources and its limits. Values that the user has no permission
/// to see stay `nil`.
struct MySQLProbe: ServerExamination {
    let server: DatabaseServer

    func facts(_ attempt: PingAttempt) throws(PingFailure) -> ServerFacts? {
        let driver = MySQLDriver(server: server)
        guard var connection = MySQLConnection(attempt) else { throw attempt.failure(.local, "out of memory") }
        try driver.logIn(&connection, attempt)
        let certificate = connection.tlsSession.flatMap { CertificateFacts(peerOf: $0) }

        let role = try driver.role(&connection, attempt)
        let settings = MySQLSettings(try driver.rows(of: MySQLSettings.question, &connection, attempt))
        let asked = WallTime.now
        let time = try driver.rows(of: MySQLSettings.clock, &connection, attempt)
        let answered = WallTime.now

        let channels: [[String: String]]?
        do { channels = try driver.channels(role, &connection, attempt) } catch {
            guard error.reason == .missingPrivilege else { throw error }
            channels = nil
        }
        var facts = settings.facts(role: role, channels: channels, hiding: server.password)
        facts.certificate = certificate
        if channels == nil { facts.lagGrant = role.grant.asOneLine() }
        do {
            if let group = try driver.group(role, &connection, attempt) {
                facts.topology.cluster = group.name.asOneLine()
                facts.topology.stopped = facts.topology.stopped ?? group.reading.stopped
                // A member that is read-only gets its data from the group.
                facts.topology.isReplica = facts.topology.isReplica || role.isReadOnly
            }
        } catch {
            guard error.reason == .missingPrivilege else { throw error }
            facts.lagGrant = role.groupGrant.asOneLine()
            facts.topology.isReplica = facts.topology.isReplica || role.isReadOnly
        }
        if case .hidden(let remedy)? = try? MySQLSight.ask(driver, role, &connection, attempt) {
            facts.attestRemedy = remedy
        }
        facts.clock = MySQLSettings.time(time).map { ClockReading(server: $0, asked: asked, answered: answered) }
        if !role.version.isMariaDB,
            let uuid = try? connection.rows(of: "SELECT @@server_uuid AS uuid", deadline: attempt.deadline).first?[
                "uuid"]
        {
            facts.identity = uuid
        }
        let threads = try driver.rows(of: MySQLSettings.threads, &connection, attempt)
        facts.connections = settings.connections(threads)
        // Only users with the permission can read the host cache.
        let errors =
            settings.showsHostCache ? try? connection.rows(of: MySQLSettings.errors, deadline: attempt.deadline) : nil
        facts.hostBlocking = settings.hostBlocking(role.version, errors: errors)
        do { try connection.run(server.pingQuery, deadline: attempt.deadline) } catch {
            facts.pingQueryFailure = driver.failure(of: error, attempt)
        }
        return facts
    }
}

/// The settings of a MySQL or MariaDB server that matter to a proxy. Every user may read them.
struct MySQLSettings {
    static let question = """
        SELECT @@hostname AS hostname, @@port AS port, @@datadir AS datadir, @@server_id AS server_id, \
        @@global.time_zone AS time_zone, @@system_time_zone AS system_time_zone, \
        @@max_connections AS max_connections, @@max_connect_errors AS max_connect_errors, \
        @@skip_name_resolve AS skip_name_resolve, @@host_cache_size AS host_cache_size, \
        @@performance_schema AS performance_schema
        """
    /// The time is in UTC. A local time would be ambiguous when summer time ends.
    static let clock = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) AS microseconds"
    static let threads = "SHOW GLOBAL STATUS LIKE 'Threads_connected'"
    /// The server's own name for this machine is the host of `USER()`. The count of errors in a row, which leads to a
    /// block, is not read, because this login has reset it. MySQL manual, "The host_cache Table".
    static let errors = """
        SELECT SUM(COUNT_HANDSHAKE_ERRORS) AS errors, SUM(COUNT_HOST_BLOCKED_ERRORS) AS refusals \
        FROM performance_schema.host_cache \
        WHERE SUBSTRING_INDEX(USER(), '@', -1) IN (IP, HOST)
        """

    private let values: [String: String]

    /// - Parameter rows: the answer to ``question``.
    init(_ rows: [[String: String]]) { values = rows.first ?? [:] }

    /// Whether the server has a table of the host cache.
    var showsHostCache: Bool { isOn("performance_schema") }

    /// - Parameter channels: the sources of the replica; `nil` if the user has no permission to see them.
    func facts(role: MySQLRole, channels: [[String: String]]?, hiding secret: Secret?) -> ServerFacts {
        let sources = channels.map { MySQLReplication.counting($0).map { source($0, hiding: secret) } }
        var topology = ReplicationTopology(
            isReplica: sources.map { !$0.isEmpty } ?? role.isReadOnly, isReadOnly: role.isReadOnly)
        topology.serverID = values["server_id"]?.asOneLine()
        topology.sources = sources
        if let channels, !channels.isEmpty {
            topology.stopped = MySQLReplication.reading(channels).stopped?.asOneLine(hiding: secret)
        }
        var facts = ServerFacts(
            identity: ["hostname", "port", "datadir", "server_id"].map { values[$0] ?? "" }.joined(separator: " "),
            version: ServerVersion(
                product: role.version.isMariaDB ? "MariaDB" : "MySQL", series: role.version.series),
            topology: topology)
        let zone = values["time_zone"] == "SYSTEM" ? values["system_time_zone"] : values["time_zone"]
        facts.timeZone = zone?.asOneLine()
        return facts
    }

    private func source(_ row: [String: String], hiding secret: Secret?) -> ReplicationTopology.Source {
        func value(_ name: String) -> String? { row["Source_\(name)"] ?? row["Master_\(name)"] }
        let id = value("Server_Id")
        return ReplicationTopology.Source(
            host: (value("Host") ?? "").asOneLine(hiding: secret), port: value("Port").flatMap { Int($0) } ?? 0,
            serverID: id == "0" ? nil : id)
    }

    /// - Parameter rows: the answer to ``threads``, which includes the session that asks.
    func connections(_ rows: [[String: String]]) -> ConnectionCounts? {
        guard let maximum = ConnectionCounts.count(values["max_connections"]),
            let used = ConnectionCounts.count(rows.first?["Value"])
        else { return nil }
        // The additional connection for an administrator is not counted.
        return ConnectionCounts(maximum: maximum, reserved: 0, used: max(0, used - 1))
    }

    /// - Parameter errors: the answer to ``errors``; `nil` if there is none.
    func hostBlocking(_ version: MySQLVersion, errors: [[String: String]]?) -> HostBlocking? {
        guard let limit = number("max_connect_errors") else { return nil }
        func count(_ name: String) -> Int? {
            // SUM without rows is NULL.
            errors.map { $0.first?[name].flatMap { Int($0) } ?? 0 }
        }
        return HostBlocking(
            limit: limit, isOn: !isOn("skip_name_resolve") && number("host_cache_size") != 0, errors: count("errors"),
            refusals: count("refusals"), forget: version.forgetHosts)
    }

    /// - Parameter rows: the answer to ``clock``.
    static func time(_ rows: [[String: String]]) -> WallTime? {
        rows.first?["microseconds"].flatMap { Int64($0) }.map { WallTime(sinceEpoch: .microseconds($0)) }
    }

    private func number(_ name: String) -> Int? { values[name].flatMap { Int($0) } }
    private func isOn(_ name: String) -> Bool { ["1", "ON"].contains(values[name]) }
}
