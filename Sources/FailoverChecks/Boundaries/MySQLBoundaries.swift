package import FailoverCore
import FailoverSystem
import Glibc

/// How a MySQL or MariaDB server shows the state of sessions to the monitoring user.
///
/// The process list shows whether a statement runs. Transactions are visible as metadata locks, which end with them,
/// and as transaction events, which show a BEGIN that nothing has followed. `INNODB_TRX` shows neither that nor locks,
/// and may be older than the question, because InnoDB keeps its answer until it was not read for 0.1 s. See "The
/// metadata_locks Table" and "Transaction Tables" in the MySQL manual, and "Metadata Lock Info Plugin" in MariaDB's
/// documentation.
package enum MySQLSight: Equatable {
    /// By performance_schema.
    case events
    /// By MariaDB's plugin `metadata_lock_info`. It does not show a BEGIN that no table has followed, nor an open
    /// cursor.
    case locks
    /// The states are hidden. The remedy is one line: statements, or what to set in the server's option file.
    case hidden(remedy: String)

    /// Asks the server.
    package static func ask(
        _ driver: MySQLDriver, _ role: MySQLRole, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> MySQLSight {
        let version = role.version
        // Without PROCESS, the process list silently has only the user's own sessions; this query fails. A query of
        // INNODB_TRX would fail too, and make the first question wait for a new list.
        let seesProcesses = try driver.permitted(
            "SELECT COUNT(*) AS number FROM information_schema.INNODB_CMP", &connection, attempt)
        let variables = try driver.rows(
            of: "SELECT @@performance_schema AS performance_schema, @@thread_handling AS threads", &connection, attempt)
        // A pool of threads lists a session as idle whose request waits for a thread.
        guard variables.first?["threads"]?.lowercased() == "one-thread-per-connection" else {
            return .hidden(remedy: "set thread_handling = one-thread-per-connection and restart the server")
        }
        let hasSchema = ["1", "ON"].contains(variables.first?["performance_schema"])
        var settings: [[String: String]]?
        if hasSchema { settings = try driver.permitted(settingsQuestion, &connection, attempt) }
        var grants = seesProcesses == nil ? ["PROCESS ON *.*"] : []
        if !version.isMariaDB || settings.map(isComplete) == true {
            if hasSchema, settings == nil { grants.append("SELECT ON performance_schema.*") }
            guard grants.isEmpty else { return .hidden(remedy: role.grants(grants)) }
            guard let settings, isComplete(settings) else { return .hidden(remedy: optionsRemedy) }
            return try losesEvents(driver, &connection, attempt) ? .hidden(remedy: lostRemedy) : .events
        }
        let plugins = try driver.rows(
            of: """
                SELECT PLUGIN_STATUS AS status FROM information_schema.PLUGINS \
                WHERE PLUGIN_NAME = 'METADATA_LOCK_INFO'
                """, &connection, attempt)
        if plugins.first?["status"] != "ACTIVE" {
            let install = "INSTALL SONAME 'metadata_lock_info'"
            return .hidden(remedy: grants.isEmpty ? install : "\(install); \(role.grants(grants))")
        }
        return grants.isEmpty ? .locks : .hidden(remedy: role.grants(grants))
    }

    /// Whether performance_schema had no memory for a lock or a prepared statement.
    static func losesEvents(
        _ driver: MySQLDriver, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> Bool {
        let lost = try driver.rows(of: lostQuestion, &connection, attempt)
        return lost.isEmpty || lost.contains { $0["Value"] != "0" }
    }

    private static func isComplete(_ settings: [[String: String]]) -> Bool {
        settings.first?["consumers"] == "\(consumers.count)" && settings.first?["instruments"] == "\(instruments.count)"
    }

    private static let consumers = [
        "global_instrumentation", "thread_instrumentation", "events_transactions_current", "events_statements_current",
    ]
    private static let instruments = [
        "wait/lock/metadata/sql/mdl", "transaction", "statement/com/Prepare", "statement/com/Execute",
        "statement/com/Fetch", "statement/com/Long Data",
    ]
    private static let settingsQuestion = """
        SELECT (SELECT COUNT(*) FROM performance_schema.setup_consumers WHERE ENABLED = 'YES' \
        AND NAME IN (\(list(consumers)))) AS consumers, \
        (SELECT COUNT(*) FROM performance_schema.setup_instruments WHERE ENABLED = 'YES' \
        AND NAME IN (\(list(instruments)))) AS instruments
        """
    private static let lostQuestion = """
        SHOW GLOBAL STATUS WHERE Variable_name IN \
        ('Performance_schema_metadata_lock_lost', 'Performance_schema_prepared_statements_lost')
        """

    private static func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }

    // Instruments that are turned on at run time do not show what began before. So the remedies are options.
    private static let optionsRemedy = """
        set performance_schema = ON, performance_schema_instrument for wait/lock/metadata/sql/mdl, transaction and \
        statement/%, and performance_schema_consumer_events_{transactions,statements}_current = ON; restart the server
        """
    static let lostRemedy =
        "raise performance_schema_max_metadata_locks and performance_schema_max_prepared_statements_instances, "
        + "and restart the server"

    /// The query for the sessions with these source ports.
    ///
    /// - Parameter number: a number that no earlier question had.
    func question(_ ports: [UInt16], _ version: MySQLVersion, number: UInt64) -> String {
        let list = ports.map { "'\($0)'" }.joined(separator: ",")
        let filter = "WHERE SUBSTRING_INDEX(p.HOST, ':', -1) IN (\(list)) OR p.ID = CONNECTION_ID()"
        let basics = """
            SELECT 'question \(number)' AS question, p.HOST AS host, p.USER AS user, p.COMMAND AS command, \
            p.ID = CONNECTION_ID() AS own
            """
        let processes = version.hasProcessTable ? "performance_schema.processlist" : "information_schema.PROCESSLIST"
        if case .locks = self {
            // The asking connection has a transaction, whose query is this one: then the list is no older.
            return """
                \(basics), 'YES' AS instrumented, \
                p.ID IN (SELECT THREAD_ID FROM information_schema.METADATA_LOCK_INFO) AS locked, \
                x.trx_id IS NOT NULL AS active, COALESCE(x.trx_query LIKE '%question \(number)%', 0) AS fresh, \
                0 AS statements FROM \(processes) p \
                LEFT JOIN information_schema.INNODB_TRX x ON x.trx_mysql_thread_id = p.ID \(filter)
                """
        }
        return """
            \(basics), 1 AS fresh, t.INSTRUMENTED AS instrumented, \
            \(Self.exists("metadata_locks", "OWNER_THREAD_ID", version)) AS locked, \
            \(Self.exists("events_transactions_current", "THREAD_ID", version, "STATE = 'ACTIVE'")) AS active, \
            \(Self.exists("events_statements_current", "THREAD_ID", version, Self.openStatements(version)))\
            \(version.isMariaDB ? "" : Self.cursors) AS statements \
            FROM \(processes) p LEFT JOIN performance_schema.threads t ON t.PROCESSLIST_ID = p.ID \(filter)
            """
    }

    /// Whether a thread has a row in a table of performance_schema. MySQL has an index for the thread, MariaDB has none
    /// and reads the table once.
    private static func exists(
        _ table: String, _ column: String, _ version: MySQLVersion, _ condition: String = "TRUE"
    ) -> String {
        version.isMariaDB
            ? "COALESCE(t.THREAD_ID IN (SELECT \(column) FROM performance_schema.\(table) "
                + "WHERE \(column) IS NOT NULL AND (\(condition))), 1)"
            : "EXISTS (SELECT 1 FROM performance_schema.\(table) "
                + "WHERE \(column) = t.THREAD_ID AND (\(condition)))"
    }

    /// Statements after which the session waits for the client to go on: part of a parameter has arrived, a part of a
    /// cursor's rows was fetched, or a cursor may have been opened. Then no row was sent. MySQL counts the temporary
    /// table that holds the rows; in MariaDB it looks like a statement without an effect.
    private static func openStatements(_ version: MySQLVersion) -> String {
        """
        EVENT_NAME IN ('statement/com/Long Data', 'statement/com/Fetch') \
        OR EVENT_NAME = 'statement/com/Execute' AND ROWS_SENT = 0 \
        AND \(version.isMariaDB ? "ROWS_AFFECTED = 0" : "CREATED_TMP_TABLES > 0")
        """
    }

    /// A session with prepared statements that has fetched from a cursor may have an open one.
    private static let cursors = """
         OR EXISTS (SELECT 1 FROM performance_schema.events_statements_summary_by_thread_by_event_name \
        WHERE THREAD_ID = t.THREAD_ID AND EVENT_NAME = 'statement/com/Fetch' AND COUNT_STAR > 0) \
        AND EXISTS (SELECT 1 FROM performance_schema.prepared_statements_instances \
        WHERE OWNER_THREAD_ID = t.THREAD_ID)
        """
}

/// Asks a MySQL or MariaDB server which sessions are at a transaction boundary. It belongs to the thread that made it.
struct MySQLBoundaries: ~Copyable, BoundarySession {
    private let driver: MySQLDriver
    private let sight: MySQLSight
    private let version: MySQLVersion
    private let own: SocketAddress
    /// The last host name that the server gave, and whether it is the own address's.
    private var name: (text: String, isOwn: Bool)?
    private var connection: MySQLConnection

    /// How long the connection may rest between two questions. The check closes it earlier.
    private static let rest = Duration.seconds(60)
    /// How long `INNODB_TRX` must not be read before InnoDB fills it again.
    private static let ageOfList = Duration.milliseconds(110)

    init(_ server: DatabaseServer, _ attempt: PingAttempt) throws(PingFailure) {
        driver = MySQLDriver(server: server)
        guard var connection = MySQLConnection(attempt) else { throw attempt.failure(.local, "out of memory") }
        try driver.logIn(&connection, attempt)
        // With `verify-full` the library looks up the name itself.
        guard let own = connection.localAddress, connection.peerAddress?.isSameHostAndPort(as: attempt.address) == true
        else { throw attempt.failure(.other, "the connection is not to this address") }
        let role = try driver.role(&connection, attempt)
        sight = try MySQLSight.ask(driver, role, &connection, attempt)
        version = role.version
        self.own = own
        self.connection = connection
    }

    mutating func answer(
        for sources: [SocketAddress], _ attempt: PingAttempt
    ) throws(PingFailure) -> BoundaryAnswer {
        if case .hidden(let remedy) = sight { return .hidden(remedy: remedy) }
        attempt.reached(.question)
        var attested: Set<SocketAddress> = []
        for ports in BoundaryRows.ports(of: sources) {
            connection.limit(attempt.deadline)
            guard let rows = try freshRows(ports, attempt) else {
                connection.limit(Deadline(Self.rest))
                return .failed(
                    "\(attempt.address): INNODB_TRX is read all the time, so that it is older than the question")
            }
            let answer = Self.rows(rows).answer(for: sources, own: own) { isOwnName($0) }
            guard case .attested(let part) = answer else { return answer }
            attested.formUnion(part)
        }
        if sight == .events, try MySQLSight.losesEvents(driver, &connection, attempt) {
            return .hidden(remedy: MySQLSight.lostRemedy)
        }
        connection.limit(Deadline(Self.rest))
        return .attested(attested)
    }

    /// - Returns: the sessions, none of which is older than the question; `nil` if the time is up before.
    private mutating func freshRows(
        _ ports: [UInt16], _ attempt: PingAttempt
    ) throws(PingFailure) -> [[String: String]]? {
        while true {
            let question = sight.question(ports, version, number: .random(in: .min ... .max))
            guard sight == .locks else { return try driver.rows(of: question, &connection, attempt) }
            _ = try driver.rows(
                of: "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", &connection, attempt)
            let rows = try driver.rows(of: question, &connection, attempt)
            _ = try driver.rows(of: "COMMIT", &connection, attempt)
            if rows.contains(where: { $0["own"] == "1" && $0["fresh"] == "1" }) { return rows }
            guard attempt.deadline.remaining > Self.ageOfList * 3 else { return nil }
            usleep(UInt32(Self.ageOfList / .microseconds(1)))
        }
    }

    /// - Parameter rows: the answer to ``MySQLSight/question(_:_:number:)``. NULLs are missing.
    static func rows(_ rows: [[String: String]]) -> BoundaryRows {
        BoundaryRows(
            rows: rows.map { row in
                BoundaryRow(
                    source: row["host"].flatMap { BoundaryRow.Source(hostAndPort: $0) },
                    isAtBoundary: row["command"] == "Sleep" && row["user"] != "unauthenticated user"
                        && row["instrumented"] == "YES" && row["locked"] == "0" && row["active"] == "0"
                        && row["statements"] == "0",
                    isOwn: row["own"] == "1")
            })
    }

    /// Whether a look-up of the name here gives the own address. This may block. Behind address translation, a name may
    /// come with the port of the connection, and is another machine's.
    private mutating func isOwnName(_ text: String) -> Bool {
        if let name, name.text == text { return name.isOwn }
        let found = (try? AddressList(name: text))?.withPort(own.port ?? 0) ?? []
        let isOwn = found.contains { $0.isSameHostAndPort(as: own) }
        name = (text, isOwn)
        return isOwn
    }
}

extension MySQLDriver {
    /// The rows of an answer; `nil` if the user lacks the privilege.
    fileprivate func permitted(
        _ question: String, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> [[String: String]]? {
        do { return try connection.rows(of: question, deadline: attempt.deadline) } catch {
            guard error.isOfPrivileges else { throw failure(of: error, attempt) }
            return nil
        }
    }
}
