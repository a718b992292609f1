package import FailoverCore
import Glibc

/// The connection parameters for libpq. Each parameter that the environment or a file in the home directory could set
/// is given explicitly.
///
/// No parameter turns off `PGSERVICE`, `PGPASSWORD` (if no password is configured) and `PGHOSTADDR` (for a Unix
/// socket). `failover` removes the variables of database clients when it starts. Programs that embed this library must
/// not set them.
package struct PostgresParameters {
    /// A path that cannot exist. If the value were empty, libpq would use the files in ~/.postgresql.
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
        // Poolers refuse `options`. So it is sent only to override the value in the environment.
        if getenv("PGOPTIONS") != nil { list.append(("options", " ")) }
    }

    private mutating func appendAddress(_ server: DatabaseServer, _ attempt: PingAttempt) throws(PingFailure) {
        switch server.endpoint {
        case .tcp(let host, let port):
            // hostaddr is the address to connect to. host is the name that verify-full checks.
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
    /// The IP address for C libraries, without brackets and port.
    package var hostText: String {
        guard let colon = description.lastIndex(of: ":") else { return description }
        return String(description[..<colon].filter { $0 != "[" && $0 != "]" })
    }
}
