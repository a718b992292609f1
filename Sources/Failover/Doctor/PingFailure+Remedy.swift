import FailoverCore

extension PingFailure.Reason {
    /// What helps a server that cannot be logged in to.
    ///
    /// - Parameters:
    ///   - user: who the ping logs in as; `nil` if nobody in particular.
    ///   - engine: what a database server speaks; `nil` for others.
    func remedy(user: String?, engine: DatabaseServer.Engine?) -> String {
        switch self {
        case .refused: "start the server, or mend host and port"
        case .timeout(.lookup), .unresolved: "getent ahosts HOST"
        case .timeout, .unreachable: "let packets through, in both directions: nc -vz HOST PORT"
        case .authentication: login(user: user, engine: engine)
        case .tooManyConnections: "a higher max_connections of the server"
        case .hostBlocked: "FLUSH HOSTS, and CREATE USER for this machine's address if there is none"
        case .tls:
            "openssl s_client -connect HOST:PORT\(starttls(engine)), then mend tls and tls_ca, or the certificate"
        case .local: "what this machine lacks, as it says"
        default: "the server's own log says more"
        }
    }

    private func login(user: String?, engine: DatabaseServer.Engine?) -> String {
        switch engine {
        case .postgres: "ALTER ROLE \"\(user ?? "")\" LOGIN PASSWORD '…', and a line for it in pg_hba.conf"
        case .mysql: "ALTER USER '\(user ?? "")'@'%' IDENTIFIED BY '…'"
        case .tcp, nil: "mend user and password"
        }
    }

    private func starttls(_ engine: DatabaseServer.Engine?) -> String {
        switch engine {
        case .postgres: " -starttls postgres"
        case .mysql: " -starttls mysql"
        case .tcp, nil: ""
        }
    }
}
