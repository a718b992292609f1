package import FailoverCore
import FailoverSystem
import Glibc

/// Logs in to a MySQL or MariaDB server, runs the ping query, and queries role and replication if configured. It ends
/// with COM_QUIT, so that no server counts a ping against `max_connect_errors`.
///
/// The meaning of the TLS modes depends on the client library:
/// * TLS is never used over a Unix socket.
/// * `prefer`: TLS is used if the server offers it. If TLS then fails, the ping fails. It is not repeated in clear
///   text.
/// * `require`: MariaDB Connector/C cannot enforce TLS. The ping fails, but only after a login without TLS, in which
///   the server has received a hash of its challenge and the password. With configured authorities the chain is
///   verified, as with `verify-ca`.
/// * `verify-ca`: Connector/C before 3.4 verifies only the chain, as this mode requires. 3.4 also verifies the name.
/// * `verify-full`: the library receives the host name, looks it up again, and tries its addresses itself.
///
/// Without a verified certificate, `caching_sha2_password` and `sha256_password` may reveal the password to any
/// server at the address; `mysql_native_password` and `ed25519` do not.
package struct MySQLDriver: PingDriver {
    /// The CA file of Debian's ca-certificates package.
    private static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    let server: DatabaseServer
    package init(server: DatabaseServer) { self.server = server }

    package func ping(_ attempt: PingAttempt) throws(PingFailure) -> ServerAnswer {
        guard var connection = MySQLConnection(attempt) else {
            throw attempt.failure(.local, "out of memory")
        }
        try logIn(&connection, attempt)
        var answer = ServerAnswer(tls: connection.tlsSession.map { TLSFacts(of: $0) })
        do { try connection.run(server.pingQuery, deadline: attempt.deadline) } catch {
            throw failure(of: error, attempt)
        }
        attempt.reached(.question)
        if attempt.request.wantsIdentity {
            answer.identity = ServerIdentity.text(
                mysql: try rows(of: ServerIdentity.mysqlQuestion, &connection, attempt))
        }
        if let policy = server.replication {
            answer.replication = try replication(policy, &connection, attempt)
        } else if server.role != nil {
            _ = try askForRoleAndReplication(&connection, attempt)
        }
        return answer
    }

    /// Connects and logs in, with TLS if configured.
    package func logIn(_ connection: inout MySQLConnection, _ attempt: PingAttempt) throws(PingFailure) {
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

    /// Queries the role and the replication status as far as the configuration needs them.
    private func replication(
        _ policy: ReplicationPolicy, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> ReplicationReading {
        var reading = ReplicationReading()
        if policy.needsTheServersWord || server.role != nil {
            reading = try askForRoleAndReplication(&connection, attempt)
        }
        if let query = policy.heartbeatQuery {
            reading.heartbeat = try askForHeartbeat(query, &connection, attempt)
        }
        return try policy.accepted(reading, attempt)
    }

    private func askForHeartbeat(
        _ query: String, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> ReplicationReading.Heartbeat {
        let rows: [[String?]]
        do { rows = try connection.texts(of: query, deadline: attempt.deadline) } catch {
            let failure = failure(of: error, attempt)
            guard failure.reason == .unanswered || failure.reason == .missingPrivilege else { throw failure }
            let message = "heartbeat_query: \(error.message)"
            guard error.isOfPrivileges else { throw attempt.failure(.heartbeat, message) }
            throw attempt.failure(
                .missingPrivilege, "\(message); grant it with: GRANT SELECT ON <table> TO <monitoring user>")
        }
        return try HeartbeatAnswer(rows).heartbeat(attempt)
    }

    /// - Returns: the server's replication status, as far as it is needed.
    private func askForRoleAndReplication(
        _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> ReplicationReading {
        let state = try role(&connection, attempt)
        if server.role == .primary {
            if state.isReadOnly { throw attempt.failure(.wrongRole, "is read-only, not a primary") }
            return ReplicationReading(behind: .zero)
        }
        let wantsReplication = server.replication?.needsTheServersWord ?? false
        // Only a writable server can have been promoted.
        guard !state.isReadOnly || wantsReplication else { return ReplicationReading() }
        let channels = try channels(state, &connection, attempt)
        if state.isReadOnly, MySQLReplication.counting(channels).isEmpty,
            let group = try group(state, &connection, attempt)
        {
            return group.reading
        }
        guard channels.isEmpty && !state.isReadOnly else { return MySQLReplication.reading(channels) }
        if let role = server.role { throw attempt.failure(.wrongRole, role.contradiction) }
        // A primary has no lag.
        return ReplicationReading(behind: .zero)
    }

    /// Queries the server's role.
    package func role(_ connection: inout MySQLConnection, _ attempt: PingAttempt) throws(PingFailure) -> MySQLRole {
        guard let role = MySQLRole(try rows(of: MySQLRole.question, &connection, attempt)) else {
            throw attempt.failure(.protocolViolation, "the server does not report read_only")
        }
        return role
    }

    /// Runs a query and returns its rows.
    package func rows(
        of question: String, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> [[String: String]] {
        do { return try connection.rows(of: question, deadline: attempt.deadline) } catch {
            throw failure(of: error, attempt)
        }
    }

    /// Queries the sources that the server replicates from.
    package func channels(
        _ state: MySQLRole, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> [[String: String]] {
        do { return try connection.rows(of: state.version.channelQuestion, deadline: attempt.deadline) } catch {
            guard error.isOfPrivileges else { throw failure(of: error, attempt) }
            throw attempt.failure(.missingPrivilege, "\(error.message); grant it with: \(state.grant)")
        }
    }

    /// Queries the replication group that the server is a member of. Returns `nil` if it is in none.
    package func group(
        _ state: MySQLRole, _ connection: inout MySQLConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> MySQLGroup? {
        guard state.version.hasGroups,
            let name = try rows(of: MySQLGroup.nameQuestion, &connection, attempt).first?["Value"], !name.isEmpty
        else { return nil }
        do {
            return MySQLGroup(name: name, try connection.rows(of: MySQLGroup.question, deadline: attempt.deadline))
        } catch {
            guard error.isOfPrivileges else { throw failure(of: error, attempt) }
            throw attempt.failure(.missingPrivilege, "\(error.message); grant it with: \(state.groupGrant)")
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
                // The library gives a comma, a semicolon or a colon a special meaning.
                guard AddressList(literal: host) != nil || host.wholeMatch(of: /[A-Za-z0-9._-]+/) != nil else {
                    throw attempt.failure(.local, "not a host name")
                }
                // The library looks up the name again. That look-up alone can exceed the time limit.
                if attempt.isRemembered { attempt.reached(.lookup) }
                login.host = host
            }
        }
        switch login.tls {
        case .disable, .prefer: break
        case .require: login.tlsAuthorities = server.tlsAuthorities
        case .verifyCA, .verifyFull: login.tlsAuthorities = server.tlsAuthorities ?? Self.systemAuthorities
        }
        // Without this check, the library would report a TLS failure.
        if let path = login.tlsAuthorities, access(path, R_OK) != 0 {
            throw attempt.failure(.local, "\(path): \(SystemError.last().message)")
        }
        return login
    }

    /// The ping failure for an error.
    package func failure(of error: MySQLError, _ attempt: PingAttempt) -> PingFailure {
        if error.isOfTheNetwork, attempt.deadline.hasPassed { return attempt.timeout }
        if let systemError = error.systemError {
            return systemError.isProtocolError
                ? attempt.failure(.protocolViolation, "not a MySQL greeting")
                : attempt.failure(systemError)
        }
        return attempt.failure(error.reason(at: attempt.stage), error.message)
    }
}
