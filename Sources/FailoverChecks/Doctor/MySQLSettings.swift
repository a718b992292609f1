import FailoverCore

/// The settings of a MySQL or MariaDB server that matter to a proxy. Everybody may read them.
struct MySQLSettings {
    static let question = """
        SELECT @@hostname AS hostname, @@port AS port, @@datadir AS datadir, @@server_id AS server_id, \
        @@global.time_zone AS time_zone, @@system_time_zone AS system_time_zone, \
        @@max_connections AS max_connections, @@max_connect_errors AS max_connect_errors, \
        @@skip_name_resolve AS skip_name_resolve, @@host_cache_size AS host_cache_size, \
        @@performance_schema AS performance_schema
        """
    /// In UTC, which no change of summer time makes ambiguous.
    static let clock = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) AS microseconds"
    static let threads = "SHOW GLOBAL STATUS LIKE 'Threads_connected'"
    /// The server's own name for this machine is the host of `USER()`. The count of errors in a row, which locks out, is not
    /// asked for: this login has set it back. MySQL manual, "The host_cache Table".
    static let errors = """
        SELECT SUM(COUNT_HANDSHAKE_ERRORS) AS errors, SUM(COUNT_HOST_BLOCKED_ERRORS) AS refusals \
        FROM performance_schema.host_cache \
        WHERE SUBSTRING_INDEX(USER(), '@', -1) IN (IP, HOST)
        """

    private let values: [String: String]

    /// - Parameter rows: the answer to ``question``.
    init(_ rows: [[String: String]]) { values = rows.first ?? [:] }

    /// Whether there is a table of the host cache.
    var showsHostCache: Bool { isOn("performance_schema") }

    /// - Parameter channels: the sources that it follows; `nil` if the user may not see them.
    func facts(role: MySQLRole, channels: [[String: String]]?, hiding secret: Secret?) -> ServerFacts {
        let sources = channels.map { MySQLReplication.counting($0).map { source($0, hiding: secret) } }
        var lineage = Lineage(isReplica: sources.map { !$0.isEmpty } ?? role.isReadOnly, isReadOnly: role.isReadOnly)
        lineage.serverID = values["server_id"]?.asOneLine(hiding: nil)
        lineage.sources = sources
        if let channels, !channels.isEmpty {
            lineage.stopped = MySQLReplication.reading(channels).stopped?.asOneLine(hiding: secret)
        }
        var facts = ServerFacts(
            identity: ["hostname", "port", "datadir", "server_id"].map { values[$0] ?? "" }.joined(separator: " "),
            version: ServerVersion(
                product: role.version.isMariaDB ? "MariaDB" : "MySQL", series: role.version.series),
            lineage: lineage)
        let zone = values["time_zone"] == "SYSTEM" ? values["system_time_zone"] : values["time_zone"]
        facts.timeZone = zone?.asOneLine(hiding: nil)
        return facts
    }

    private func source(_ row: [String: String], hiding secret: Secret?) -> Lineage.Source {
        func value(_ name: String) -> String? { row["Source_\(name)"] ?? row["Master_\(name)"] }
        let id = value("Server_Id")
        return Lineage.Source(
            host: (value("Host") ?? "").asOneLine(hiding: secret), port: value("Port").flatMap { Int($0) } ?? 0,
            serverID: id == "0" ? nil : id)
    }

    /// - Parameter rows: the answer to ``threads``, which counts the session that asks.
    func connections(_ rows: [[String: String]]) -> ConnectionCounts? {
        guard let maximum = ConnectionCounts.count(values["max_connections"]),
            let used = ConnectionCounts.count(rows.first?["Value"])
        else { return nil }
        // The one that an administrator gets on top is not among them.
        return ConnectionCounts(maximum: maximum, reserved: 0, used: max(0, used - 1))
    }

    /// - Parameter errors: the answer to ``errors``; `nil` if there is none.
    func hostBlocking(_ version: MySQLVersion, errors: [[String: String]]?) -> HostBlocking? {
        guard let limit = number("max_connect_errors") else { return nil }
        func count(_ name: String) -> Int? {
            // A sum of nothing is NULL.
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
