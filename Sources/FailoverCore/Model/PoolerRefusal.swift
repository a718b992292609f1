/// What PgBouncer means by an error of its own. It has one SQLSTATE for nearly all of them and tells the rest in words;
/// src/client.c, src/objects.c and src/janitor.c of its releases 1.18 to 1.24.
package enum PoolerRefusal: Hashable, Sendable {
    /// It, or the user's share of it, has no place left.
    case full
    /// It does not accept user, password or database.
    case login
    /// It has no server that it could give to the client.
    case serverIsAway

    /// protocol_violation.
    package static let sqlState = "08P01"

    /// - Returns: `nil` of words that are none of these.
    package init?(message: String) {
        func says(_ phrases: String...) -> Bool { phrases.contains { message.contains($0) } }
        // The words of a server that refuses the pooler's login stand in those of the pooler.
        if says(
            "authentication failed", "no such user", "no such database", "login rejected", "does not allow connections",
            "is disabled")
        {
            self = .login
        } else if says("no more connections allowed", "client connections exceeded", "max_client_conn") {
            self = .full
        } else if says(
            "server login has been failing", "cannot connect to server", "server down", "query_wait_timeout",
            "server_login_retry")
        {
            self = .serverIsAway
        } else {
            return nil
        }
    }
}

extension PoolerRefusal {
    /// What it says of a ping's server.
    package var reason: PingFailure.Reason {
        switch self {
        case .full: .tooManyConnections
        case .login: .authentication
        case .serverIsAway: .other
        }
    }

    /// What it says of a session's server; `nil` of what is between it and the client.
    package var kind: BackendErrorKind? {
        switch self {
        case .full: .tooManyConnections
        case .login: nil
        case .serverIsAway: .earlyClose
        }
    }
}
