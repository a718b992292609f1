import FailoverCore
import Glibc

/// What libpq is told about a server. Explicit wherever the environment or a file in a home directory could speak.
///
/// libpq offers no way to ignore `PGSERVICE`, `PGPASSWORD` where no password is configured, and `PGHOSTADDR` where the
/// server is a Unix socket. The program takes its clients' variables away at its start; who embeds it must not set them.
struct PostgresParameters {
    /// A path at which no file can be: libpq takes an empty value for "look in ~/.postgresql".
    private static let noFile = "/dev/null/none"
    /// The authorities that Debian's ca-certificates installs.
    private static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    private(set) var list: [(keyword: String, value: String)] = []

    init(_ server: DatabaseServer, _ attempt: PingAttempt) throws(PingFailure) {
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
        // Poolers refuse options, so they are sent only to overrule the environment's.
        if getenv("PGOPTIONS") != nil { list.append(("options", " ")) }
    }

    private mutating func appendAddress(_ server: DatabaseServer, _ attempt: PingAttempt) throws(PingFailure) {
        switch server.endpoint {
        case .tcp(let host, let port):
            // hostaddr is where to connect, host the name that verify-full compares.
            list += [("host", host), ("hostaddr", attempt.address.hostText), ("port", "\(port)")]
        case .unix(let path):
            guard let match = path.wholeMatch(of: /(\/.*)\/\.s\.PGSQL\.([0-9]{1,5})/) else {
                throw attempt.failure(
                    .local, "the path of a PostgreSQL socket is absolute and ends in /.s.PGSQL.PORT")
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
    /// The host of an IP address as a C library takes it: without brackets and port.
    var hostText: String {
        guard let colon = description.lastIndex(of: ":") else { return description }
        return String(description[..<colon].filter { $0 != "[" && $0 != "]" })
    }
}
