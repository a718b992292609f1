/// The meaning of a database server's error code. Pings, the proxy and programs that call the client library themselves
/// use this one table.
package enum ServerError: Hashable, Sendable {
    /// The server starts up or recovers. A PostgreSQL server that shuts down uses the same code.
    case startingUp
    case shuttingDown
    /// The server has no connection, memory, thread or disk left.
    case full
    /// The user has reached its connection limit.
    case userLimit
    /// The server refuses this machine's address.
    case hostBlocked
    /// The server does not accept user, password, authentication method or database.
    case login
    /// The user lacks a privilege.
    case privilege
    /// The server cancelled a statement because of a lock, a deadlock, a time limit or a recovery conflict.
    case cancelled
    /// The TLS handshake failed.
    case tls
    /// The connection was killed or lost.
    case connection

    /// The meaning of a SQLSTATE of PostgreSQL; `nil` for a code that is not in this table. PostgreSQL manual, appendix
    /// A.
    package init?(sqlState: String) {
        switch sqlState {
        case "57P01", "57P02": self = .shuttingDown
        case "57P03": self = .startingUp
        // invalid_catalog_name, database_dropped, object_not_in_prerequisite_state (takes no connections).
        case "3D000", "57P04", "55000": self = .login
        case "42501": self = .privilege
        // query_canceled, lock_not_available, transaction_timeout.
        case "57014", "55P03", "25P04": self = .cancelled
        default:
            switch sqlState.prefix(2) {
            case "08": self = .connection
            case "28": self = .login
            case "40", "54": self = .cancelled
            case "53": self = .full
            default: return nil
            }
        }
    }

    /// The meaning of an error number of a MySQL or MariaDB server; `nil` for a number that is not in this table. MySQL
    /// manual, "Server Error Message Reference"; MariaDB documentation, "MariaDB Error Code Reference".
    package init?(mySQLCode code: Int) {
        switch code {
        case 1037, 1040, 1041, 1135: self = .full
        case 1203, 1226: self = .userLimit
        case 1129, 1130: self = .hostBlocked
        case 1053: self = .shuttingDown
        // 1969 is MariaDB's time limit, 3024 MySQL's.
        case 1205, 1213, 1317, 1969, 3024: self = .cancelled
        case 1152...1161, 1184, 1927: self = .connection
        case 3159: self = .tls
        case 1044, 1045, 1049, 1251, 1275, 1524, 1698, 1820, 1862, 3118, 3955, 4150, 4151: self = .login
        case 1142, 1143, 1227, 1370: self = .privilege
        default: return nil
        }
    }
}

extension ServerError {
    /// What the error says about the server of a ping.
    package var reason: PingFailure.Reason {
        switch self {
        case .startingUp: .startingUp
        case .shuttingDown: .shuttingDown
        case .full: .tooManyConnections
        case .userLimit: .userLimit
        case .hostBlocked: .hostBlocked
        case .login: .authentication
        case .privilege: .missingPrivilege
        case .cancelled: .unanswered
        case .tls: .tls
        case .connection: .disconnected
        }
    }

    /// What the error says about the server of a session; `nil` if the error concerns only that session.
    package var kind: BackendErrorKind? {
        switch self {
        case .startingUp, .shuttingDown: .serverShutdown
        case .full, .userLimit: .tooManyConnections
        case .hostBlocked: .hostBlocked
        case .login, .privilege, .cancelled, .tls, .connection: nil
        }
    }

    /// Whether the error concerns the connection or the state of the server, and not the request.
    package var isOfTheServer: Bool {
        switch self {
        case .startingUp, .shuttingDown, .full, .userLimit, .hostBlocked, .connection: true
        case .login, .privilege, .cancelled, .tls: false
        }
    }
}
