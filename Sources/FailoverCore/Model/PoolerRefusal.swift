/// The meaning of an error that PgBouncer itself sends. PgBouncer uses one SQLSTATE for nearly all errors, so only the
/// message shows the difference; see src/client.c, src/objects.c and src/janitor.c of its releases 1.18 to 1.26.
///
/// A client controls parts of a message: the names of users, databases and parameters. Therefore the beginnings of
/// messages are compared.
package enum PoolerRefusal: Hashable, Sendable {
    /// The pooler or the server behind it has no connection left.
    case full
    /// The user has reached its connection limit.
    case userIsFull
    /// The pooler does not accept user, password, database or parameters.
    case login
    /// The pooler has no server for the client.
    case serverIsAway

    /// The SQLSTATE protocol_violation.
    package static let sqlState = "08P01"

    /// - Returns: `nil` if the message is not one of PgBouncer's.
    package init?(message: String) {
        func begins(_ phrases: String...) -> Bool { phrases.contains { message.hasPrefix($0) } }
        if begins(
            "no more connections allowed", "client connections exceeded (max_db", "no memory", "bouncer resources")
        {
            self = .full
        } else if begins("client connections exceeded (max_user") {
            self = .userIsFull
        } else if begins("server login has been failing") {
            self = Self.cachedError(message)
        } else if begins(
            "client_login_timeout (server down)", "query_wait_timeout", "pgbouncer cannot connect", "database \"")
        {
            self = .serverIsAway
        } else if message.hasSuffix("authentication failed")
            || begins(
                "no such user", "no such database", "unix socket login rejected", "login rejected", "SSL required",
                "unsupported startup parameter", "Unsupported startup parameter", "server login failed")
        {
            self = .login
        } else {
            return nil
        }
    }

    /// PgBouncer's message for a server that refuses its logins. It repeats the server's message: `server login has
    /// been failing, cached error: FATAL: sorry, too many clients already (server_login_retry)`. Release 1.18 does
    /// not repeat it.
    private static func cachedError(_ message: String) -> PoolerRefusal {
        func says(_ phrases: String...) -> Bool { phrases.contains { message.contains($0) } }
        if says("authentication failed", "no pg_hba.conf entry", "does not exist", "not permitted to log in") {
            return .login
        }
        if says("too many clients", "too many connections", "connection slots are reserved") { return .full }
        return .serverIsAway
    }
}

extension PoolerRefusal {
    /// What the error says about the server of a ping.
    package var reason: PingFailure.Reason {
        switch self {
        case .full: .tooManyConnections
        case .userIsFull: .userLimit
        case .login: .authentication
        case .serverIsAway: .other
        }
    }

    /// What the error says about the server of a session; `nil` if the error concerns only PgBouncer and the client.
    package var kind: BackendErrorKind? {
        switch self {
        case .full, .userIsFull: .tooManyConnections
        case .login: nil
        case .serverIsAway: .earlyClose
        }
    }
}
