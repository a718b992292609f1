import FailoverCore

extension PingFailure.Reason {
    /// What helps a server that cannot be logged in to.
    ///
    /// - Parameter server: whose ping failed; `nil` for what is no database.
    func remedy(for server: DatabaseServer? = nil) -> String {
        let (host, port) = server?.endpoint.words ?? ("HOST", "PORT")
        return switch self {
        case .refused: "start the server, or mend host and port"
        case .unresolved, .timeout(.lookup): "getent ahosts \(host)"
        case .unreachable, .timeout(.connecting): "let packets through, both ways: nc -vz \(host) \(port)"
        case .unanswered, .timeout(.question): "look for locks, and at the server's limits of a query's time"
        case .timeout: "look at the server and its log: it accepts connections, and does not go on"
        case .authentication: server?.loginRemedy ?? "mend user and password"
        case .tooManyConnections: "a higher max_connections of the server, or fewer sessions"
        case .userLimit: "more connections for the user of the ping"
        case .hostBlocked: "FLUSH HOSTS, or CREATE USER for this machine's address if there is none"
        case .tls:
            "openssl s_client -connect \(host):\(port)\(server?.startTLS ?? ""), then mend tls and tls_ca, or the certificate"
        case .local: "what this machine lacks, as it says"
        default: "the server's own log says more"
        }
    }
}

extension DatabaseServer {
    fileprivate var loginRemedy: String {
        switch engine {
        case .postgres: "ALTER ROLE \"\(user ?? "")\" LOGIN PASSWORD '…', and a line for it in pg_hba.conf"
        case .mysql: "ALTER USER '\(user ?? "")'@'%' IDENTIFIED BY '…'"
        case .tcp: "mend user and password"
        }
    }

    fileprivate var startTLS: String {
        switch engine {
        case .postgres: " -starttls postgres"
        case .mysql: " -starttls mysql"
        case .tcp: ""
        }
    }
}

extension Endpoint {
    /// The host or the path, and the port.
    var words: (host: String, port: String) {
        switch self {
        case .tcp(let host, let port): (host.contains(":") ? "[\(host)]" : host, "\(port)")
        case .unix(let path): (path, "")
        }
    }
}
