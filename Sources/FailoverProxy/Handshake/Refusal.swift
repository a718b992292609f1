import FailoverCore

/// The reason why a client is not served, with a message that appears in the application's error.
struct Refusal: Equatable {
    enum Kind {
        /// No alias of the route can serve.
        case nothingUp
        /// `max_connections` is reached.
        case limit
        /// The client's address has reached a limit of its own.
        case sourceLimit
        /// The route is closed during the outage of a service (`close_during_outage`).
        case closed
        /// The only servers left require a read-only session, and this session cannot be made read-only.
        case unguarded
        /// The route serves only encrypted clients.
        case unencrypted
    }

    let kind: Kind
    let message: String

    /// The refusal as PostgreSQL's ErrorResponse.
    var postgresMessage: [UInt8] {
        let (sqlState, hint) =
            switch kind {
            case .nothingUp: ("57P03", "The proxy tries again with each new connection.")
            case .limit: ("53300", "The proxy's max_connections is reached.")
            case .sourceLimit: ("53300", "The proxy limits the connections from each address.")
            case .unguarded: ("57P03", "The proxy's read_only_opaque is refuse.")
            case .unencrypted: ("28000", "Use sslmode=require or stricter.")
            case .closed: ("57P03", "The proxy opens the route again when the outage is over.")
            }
        return PostgresErrorResponse(sqlState: sqlState, message: message, hint: hint).bytes
    }

    /// The refusal as MySQL's error packet instead of a greeting: 1105 unknown error, 1040 too many connections.
    var mysqlPacket: [UInt8] {
        let isLimit = kind == .limit || kind == .sourceLimit
        return MySQLErrorPacket(code: isLimit ? 1040 : 1105, sqlState: nil, message: message, sequence: 0).bytes
    }
}

/// The read-only requirement of a route with `failover_read_only`: sessions must not write to a failover alias by
/// accident.
struct ReadOnlyGuard: Equatable {
    /// The aliases on which sessions must be read-only.
    let aliases: [Int]
    /// The policy for sessions that cannot be made read-only.
    let opaque: SessionSettings.OpaquePolicy
    /// PostgreSQL aliases that are known to refuse the start-up parameter and need a statement.
    let byStatement: Set<Int>

    /// The reason for refusing a client that sends more before its login is complete, if a statement is needed.
    static let whyEarly = "cannot make the session read-only: the client sent data before its login was complete"
    /// The reason for refusing an encrypted session under `read_only_opaque: refuse`.
    static let whyEncrypted = "cannot make an encrypted session read-only (read_only_opaque: refuse)"

    init(aliases: [Int], opaque: SessionSettings.OpaquePolicy, byStatement: Set<Int> = []) {
        self.aliases = aliases
        self.opaque = opaque
        self.byStatement = byStatement
    }

    init(_ table: RouteTable, route: Int, opaque: SessionSettings.OpaquePolicy, byStatement: Set<Int> = []) {
        self.init(
            aliases: table.routes[route].aliases.filter { table.isFailover(alias: $0, ofRoute: route) }, opaque: opaque,
            byStatement: byStatement)
    }
}

/// The reason why an established session ends, with the codes of its protocol.
enum ClosingMessage {
    /// The client should reconnect: another server is preferred, or the current one is down.
    case moving
    /// The proxy shuts down.
    case shutdown
    /// The session was idle for `idle_timeout`.
    case idle

    /// As PostgreSQL's error: 57P01 admin_shutdown, 57P05 idle_session_timeout.
    func postgresMessage(_ message: String) -> [UInt8] {
        let (sqlState, hint) =
            switch self {
            case .moving: ("57P01", "Connect again; the proxy chooses another server.")
            case .shutdown: ("57P01", "Connect again; the proxy is shutting down.")
            case .idle: ("57P05", "The proxy's idle_timeout is reached.")
            }
        return PostgresErrorResponse(sqlState: sqlState, message: message, hint: hint).bytes
    }

    /// As MySQL's error: `ER_SERVER_SHUTDOWN`, `ER_CLIENT_INTERACTION_TIMEOUT`.
    func mysqlPacket(_ message: String, sequence: UInt8) -> [UInt8] {
        let (code, sqlState): (UInt16, String) =
            switch self {
            case .moving, .shutdown: (1053, "08S01")
            case .idle: (4031, "HY000")
            }
        return MySQLErrorPacket(code: code, sqlState: sqlState, message: message, sequence: sequence).bytes
    }
}
