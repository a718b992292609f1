/// Why a session ends that is served, in the codes of its protocol.
enum Farewell {
    /// It is to come again: another server is better, or the present one is down.
    case moving
    /// The proxy ends.
    case shutdown
    /// Nothing was said for `idle_timeout`.
    case idle

    /// As PostgreSQL's error: 57P01 admin_shutdown, 57P05 idle_session_timeout.
    func postgresMessage(_ message: String) -> [UInt8] {
        let (sqlState, hint) =
            switch self {
            case .moving: ("57P01", "Connect again; the proxy chooses another server.")
            case .shutdown: ("57P01", "Connect again; the proxy is about to end.")
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
