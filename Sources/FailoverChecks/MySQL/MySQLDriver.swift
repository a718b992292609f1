import FailoverCore
import FailoverSystem
import Glibc

/// Logs in to a MySQL or MariaDB server, runs the ping query, asks for role and replication if told to, and says COM_QUIT, so
/// that no server counts a ping against `max_connect_errors`.
///
/// What the modes of TLS mean here depends on the client library:
/// * Over a Unix socket there is no TLS.
/// * `prefer` takes TLS if the server offers it. If TLS then fails, the ping fails; it is not tried again in clear.
/// * `require`: MariaDB Connector/C cannot insist, so the ping fails after a login without TLS, which shows the server a
///   hash of the password and of its challenge. With authorities configured, the chain is verified as by `verify-ca`.
/// * `verify-ca`: Connector/C before 3.4 verifies the chain and not the name, as it should. 3.4 verifies the name too.
/// * `verify-full`: the name has to go to the library, which looks it up again and tries its addresses itself.
///
/// Without a verified certificate, `caching_sha2_password` and `sha256_password` may hand the password to whoever
/// answers at the address; `mysql_native_password` and `ed25519` do not.
struct MySQLDriver: PingDriver {
    /// The authorities that Debian's ca-certificates installs.
    private static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    let server: DatabaseServer
    /// Is told of replication; `nil` when nobody wants to know.
    var replica: ReplicaWatch?
    /// Is told which server it is; `nil` when nobody wants to know.
    var identity: ServerIdentity?

    func ping(_ attempt: PingAttempt) throws(PingFailure) {
        guard var connection = MySQLConnection(attempt) else {
            throw attempt.failure(.local, "out of memory")
        }
        try logIn(&connection, attempt)
        do { try connection.run(server.pingQuery, deadline: attempt.deadline) } catch {
            throw failure(of: error, attempt)
        }
        attempt.reached(.question)
        if let identity { try askForIdentity(identity, &connection, attempt) }
        if let replica {
            try ask(replica, &connection, attempt)
        } else if server.role != nil {
            _ = try askForRoleAndReplication(&connection, attempt)
        }
    }

    /// Logs in, with TLS where that is asked for.
    func logIn(_ connection: inout MySQLConnection, _ attempt: PingAttempt) throws(PingFailure) {
        let login = try login(attempt)
        do {
            try connection.logIn(login)
        } catch {
            if !error.isOfConnecting { attempt.reached(.login) }
            throw failure(of: error, attempt)
        }
        attempt.reached(.query)
        if !connection.isEncrypted, login.tls != .disable, login.tls != .prefer {
            throw attempt.failure(.tls, "the server does not offer TLS")
        }
    }

    private func askForIdentity(
        _ identity: ServerIdentity, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) {
        identity.observe(mysql: try rows(of: ServerIdentity.mysqlQuestion, &connection, attempt))
    }

    /// Asks for the role, if it matters, and for all that matters of replication.
    private func ask(
        _ replica: ReplicaWatch, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) {
        var reading = ReplicationReading()
        if replica.policy.needsTheServersWord || server.role != nil {
            reading = try askForRoleAndReplication(&connection, attempt)
        }
        if let query = replica.policy.heartbeatQuery {
            reading.heartbeat = try askForHeartbeat(query, &connection, attempt)
        }
        try replica.observe(reading, attempt)
    }

    private func askForHeartbeat(
        _ query: String, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> ReplicationReading.Heartbeat {
        let rows: [[String?]]
        do { rows = try connection.texts(of: query, deadline: attempt.deadline) } catch {
            let failure = failure(of: error, attempt)
            guard failure.reason == .unanswered || failure.reason == .missingPrivilege else { throw failure }
            let words = "heartbeat_query: \(error.words)"
            guard error.isOfPrivileges else { throw attempt.failure(.heartbeat, words) }
            throw attempt.failure(
                .missingPrivilege, "\(words); what helps: GRANT SELECT ON what it reads TO the user of the ping")
        }
        return try HeartbeatAnswer(rows).heartbeat(attempt)
    }

    /// - Returns: what the server says of its replication, as far as that matters.
    private func askForRoleAndReplication(
        _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> ReplicationReading {
        let state = try role(&connection, attempt)
        if server.role == .primary {
            if state.isReadOnly { throw attempt.failure(.wrongRole, "is read-only, not a primary") }
            return ReplicationReading(behind: .zero)
        }
        let wantsReplication = replica?.policy.needsTheServersWord ?? false
        // Only what is writable may have been promoted.
        guard !state.isReadOnly || wantsReplication else { return ReplicationReading() }
        let channels = try channels(state, &connection, attempt)
        guard channels.isEmpty && !state.isReadOnly else { return MySQLReplication.reading(channels) }
        if let role = server.role { throw attempt.failure(.wrongRole, role.contradiction) }
        // A primary has no lag.
        return ReplicationReading(behind: .zero)
    }

    /// What the server says of its role.
    func role(_ connection: inout MySQLConnection, _ attempt: PingAttempt) throws(PingFailure) -> MySQLRole {
        guard let role = MySQLRole(try rows(of: MySQLRole.question, &connection, attempt)) else {
            throw attempt.failure(.protocolViolation, "the server does not say whether it is read_only")
        }
        return role
    }

    /// The rows of the answer.
    func rows(
        of question: String, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> [[String: String]] {
        do { return try connection.rows(of: question, deadline: attempt.deadline) } catch {
            throw failure(of: error, attempt)
        }
    }

    /// The sources that the server follows.
    func channels(
        _ state: MySQLRole, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> [[String: String]] {
        do { return try connection.rows(of: state.version.channelQuestion, deadline: attempt.deadline) } catch {
            guard error.isOfPrivileges else { throw failure(of: error, attempt) }
            throw attempt.failure(.missingPrivilege, "\(error.words); what helps: \(state.grant)")
        }
    }

    private func login(_ attempt: PingAttempt) throws(PingFailure) -> MySQLConnection.Login {
        var login = MySQLConnection.Login(
            user: server.user, password: server.password, databaseName: server.databaseName, tls: server.tls)
        switch server.endpoint {
        case .unix(let path):
            login.socketPath = path
            login.tls = .disable
        case .tcp(let host, let port):
            login.host = attempt.address.hostText
            login.port = port
            if let version = server.proxyHeader { login.firstBytes = version.local }
            if server.tls == .verifyFull {
                // A comma, a semicolon or a colon would be more than a host to the library.
                guard AddressList(literal: host) != nil || host.wholeMatch(of: /[A-Za-z0-9._-]+/) != nil else {
                    throw attempt.failure(.local, "not a host name")
                }
                // The library looks the name up again, and may wait in vain for that alone.
                if attempt.isRemembered { attempt.reached(.lookup) }
                login.host = host
            }
        }
        switch login.tls {
        case .disable, .prefer: break
        case .require: login.tlsAuthorities = server.tlsAuthorities
        case .verifyCA, .verifyFull: login.tlsAuthorities = server.tlsAuthorities ?? Self.systemAuthorities
        }
        // The library would call it a failure of TLS.
        if let path = login.tlsAuthorities, access(path, R_OK) != 0 {
            throw attempt.failure(.local, "\(path): \(SystemError.last().words)")
        }
        return login
    }

    /// What an error means for an attempt.
    func failure(of error: MySQLError, _ attempt: PingAttempt) -> PingFailure {
        if error.isOfTheNetwork, attempt.deadline.hasPassed { return attempt.timeout }
        if let systemError = error.systemError {
            return systemError.isProtocolError
                ? attempt.failure(.protocolViolation, "what it says is no greeting of a MySQL server")
                : attempt.failure(systemError)
        }
        return attempt.failure(error.reason(at: attempt.stage), error.words)
    }
}
