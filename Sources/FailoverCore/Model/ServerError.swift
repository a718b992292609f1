/// What a database server means by an error code, whoever reads it: a ping, the proxy on a session's way, or a program that
/// calls its client library itself. One table for all of them.
package enum ServerError: Hashable, Sendable {
    /// It starts up, or recovers; a PostgreSQL that shuts down says so with the same code.
    case startingUp
    case shuttingDown
    /// It has no connection, memory, thread or disk left.
    case full
    /// The user has as many connections as it may.
    case userLimit
    /// It refuses this machine's address.
    case hostBlocked
    /// It does not accept user, password, authentication method or database.
    case login
    /// The user may not do what it asked for.
    case privilege
    /// It broke a statement off: a lock, a deadlock, a time limit, a conflict with what it replays.
    case cancelled
    /// TLS could not be agreed on.
    case tls
    /// The connection was killed, or broke.
    case connection

    /// A SQLSTATE of PostgreSQL; `nil` of those without a meaning here. PostgreSQL manual, appendix A.
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

    /// An error number of a MySQL or MariaDB server; `nil` of those without a meaning here. MySQL manual, "Server Error Message
    /// Reference"; MariaDB documentation, "MariaDB Error Code Reference".
    package init?(mySQLCode code: Int) {
        switch code {
        case 1037, 1040, 1041, 1135: self = .full
        case 1203, 1226: self = .userLimit
        case 1129, 1130: self = .hostBlocked
        case 1053: self = .shuttingDown
        // MariaDB's time limit is 1969, MySQL's 3024.
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
    /// What it says of a ping's server.
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

    /// What it says of a session's server; `nil` of what is between it and the client.
    package var kind: BackendErrorKind? {
        switch self {
        case .startingUp, .shuttingDown: .serverShutdown
        case .full, .userLimit: .tooManyConnections
        case .hostBlocked: .hostBlocked
        case .login, .privilege, .cancelled, .tls, .connection: nil
        }
    }

    /// Whether it is about the connection or the state of the server, and not about what was asked.
    package var isOfTheServer: Bool {
        switch self {
        case .startingUp, .shuttingDown, .full, .userLimit, .hostBlocked, .connection: true
        case .login, .privilege, .cancelled, .tls: false
        }
    }
}
