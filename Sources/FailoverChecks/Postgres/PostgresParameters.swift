package import FailoverCore
import Glibc

/// The connection parameters for libpq. They are explicit wherever the environment or a file in the home directory
/// could apply.
///
/// libpq cannot ignore `PGSERVICE`, `PGPASSWORD` if no password is configured, and `PGHOSTADDR` if the server is a
/// Unix socket. The program removes the variables of database clients at its start. Programs that embed this library
/// must not set them.
package struct PostgresParameters {
    /// A path that cannot exist: for an empty value libpq looks in ~/.postgresql.
    private static let noFile = "/dev/null/none"
    /// The CA file of Debian's ca-certificates package.
    private static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    package private(set) var list: [(keyword: String, value: String)] = []

    package init(_ server: DatabaseServer, _ attempt: PingAttempt) throws(PingFailure) {
        try appendAddress(server, attempt)
        if let user = server.user {
            list.append(("user", user))
            list.append(("dbname", user))
        }
        if let name = server.databaseName { list.append(("dbname", name)) }
        if let password = server.password { list.append(("password", password.reveal())) }
        appendTLS(server)
        list += [
            ("application_name", "failover"),
            ("client_encoding", "UTF8"),
            ("target_session_attrs", "any"),
            ("gssencmode", "disable"),
            ("channel_binding", "prefer"),
            ("passfile", Self.noFile),
        ]
        // Poolers refuse `options`, so it is sent only to override the environment's.
        if getenv("PGOPTIONS") != nil { list.append(("options", " ")) }
    }

    private mutating func appendAddress(_ server: DatabaseServer, _ attempt: PingAttempt) throws(PingFailure) {
        switch server.endpoint {
        case .tcp(let host, let port):
            // hostaddr is the address to connect to, host the name that verify-full checks.
            list += [("host", host), ("hostaddr", attempt.address.hostText), ("port", "\(port)")]
        case .unix(let path):
            guard let match = path.wholeMatch(of: /(\/.*)\/\.s\.PGSQL\.([0-9]{1,5})/) else {
                throw attempt.failure(
                    .local, "a PostgreSQL socket path must be absolute and end in /.s.PGSQL.PORT")
            }
            list += [("host", String(match.1)), ("port", String(match.2))]
        }
    }

    private mutating func appendTLS(_ server: DatabaseServer) {
        list.append(("sslmode", server.tls.rawValue))
        let authorities =
            switch server.tls {
            case .verifyCA, .verifyFull: server.tlsAuthorities ?? Self.systemAuthorities
            case .disable, .prefer, .require: server.tlsAuthorities ?? Self.noFile
            }
        list += [
            ("sslrootcert", authorities), ("sslcert", Self.noFile), ("sslkey", Self.noFile), ("sslcrl", Self.noFile),
        ]
    }
}

extension SocketAddress {
    /// The host of an IP address for C libraries: without brackets and port.
    package var hostText: String {
        guard let colon = description.lastIndex(of: ":") else { return description }
        return String(description[..<colon].filter { $0 != "[" && $0 != "]" })
    }
}
