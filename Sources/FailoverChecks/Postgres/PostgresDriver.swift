package import FailoverCore
import FailoverSystem
import Glibc

/// Logs in to a PostgreSQL server, runs the ping query, queries role and replication if configured, and ends the
/// session.
package struct PostgresDriver: PingDriver {
    /// The maximum size of an answer in bytes. Queries of a ping return about one row, so a larger answer is a mistake
    /// or an attack.
    private static let largestAnswer = 1 << 20
    /// libpq reads as long as data arrives. Above this size, the socket does not receive while libpq reads. So a peer
    /// that never stops sending cannot keep libpq reading, and its bytes are counted.
    private static let usualAnswer = 64 << 10

    let server: DatabaseServer
    package init(server: DatabaseServer) { self.server = server }

    package func ping(_ attempt: PingAttempt) throws(PingFailure) -> ServerAnswer {
        let parameters = try PostgresParameters(server, attempt)
        guard var connection = PostgresConnection(parameters.list) else {
            throw attempt.failure(.local, "out of memory")
        }
        try logIn(&connection, attempt)
        attempt.reached(.query)
        var answer = ServerAnswer(tls: connection.tlsSession.map { TLSFacts(of: $0) })
        _ = try rows(of: PostgresQuestion(server.pingQuery, called: "the ping query"), &connection, attempt)
        attempt.reached(.question)
        if attempt.request.wantsIdentity {
            answer.identity = ServerIdentity.text(
                postgres: try rows(of: ServerIdentity.postgresQuestion, &connection, attempt))
        }
        if let policy = server.replication {
            answer.replication = try replication(policy, &connection, attempt)
        } else {
            try askForRole(&connection, attempt)
        }
        if attempt.request.wantsWALPosition { answer.walPosition = try walPosition(&connection, attempt) }
        return answer
    }

    /// The WAL position of a primary; `nil` if the server refuses the query. Such a primary is still healthy.
    private func walPosition(
        _ connection: inout PostgresConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> UInt64? {
        do {
            let question = PostgresReplication.positionQuestion(user: server.user ?? "")
            return try rows(of: question, &connection, attempt).first?.first?.flatMap { UInt64($0) }
        } catch  where error.kind == .refusal {
            return nil
        }
    }

    /// Queries the role and the replication status as far as the configuration needs them.
    private func replication(
        _ policy: ReplicationPolicy, _ connection: inout PostgresConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> ReplicationReading {
        var reading = ReplicationReading()
        if policy.needsTheServersWord {
            reading = try askForRoleAndReplication(&connection, attempt)
        } else {
            try askForRole(&connection, attempt)
        }
        if let query = policy.heartbeatQuery {
            reading.heartbeat = try askForHeartbeat(query, &connection, attempt)
        }
        return try policy.accepted(reading, attempt)
    }

    private func askForHeartbeat(
        _ query: String, _ connection: inout PostgresConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> ReplicationReading.Heartbeat {
        let question = PostgresQuestion(
            query, called: "heartbeat_query", prefix: "heartbeat_query: ", grants: [.reading(by: server.user ?? "")])
        let answer: [[String?]]
        do { answer = try rows(of: question, &connection, attempt) } catch {
            throw error.reason == .unanswered ? PingFailure(.heartbeat, error.detail) : error
        }
        return try HeartbeatAnswer(answer).heartbeat(attempt)
    }

    private func askForRole(
        _ connection: inout PostgresConnection, _ attempt: PingAttempt
    ) throws(PingFailure) {
        guard let role = server.role else { return }
        let rows = try rows(of: PostgresRole.question(user: server.user ?? ""), &connection, attempt)
        guard let answer = PostgresRole.answer(in: rows) else {
            throw attempt.failure(.protocolViolation, "pg_is_in_recovery() is neither true nor false")
        }
        if answer != role { throw attempt.failure(.wrongRole, role.contradiction) }
    }

    private func askForRoleAndReplication(
        _ connection: inout PostgresConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> ReplicationReading {
        let user = server.user ?? ""
        let answer = PostgresReplication.answer(
            in: try rows(of: PostgresReplication.question(user: user), &connection, attempt))
        if let role = server.role, let found = answer.role, found != role {
            throw attempt.failure(.wrongRole, role.contradiction)
        }
        switch answer {
        case .reading(let reading): return reading
        case .notReplicating: return ReplicationReading(behind: .zero)
        case .hidden:
            let grant = PostgresReplication.seeingTheReceiver(user).statement
            throw attempt.failure(
                .missingPrivilege, "pg_stat_wal_receiver hides the receiver's state; grant it with: \(grant)")
        case .nonsense: throw attempt.failure(.protocolViolation, "the replication status is inconsistent")
        }
    }

    /// Logs in on a connection that has just started to connect.
    package func logIn(_ connection: inout PostgresConnection, _ attempt: PingAttempt) throws(PingFailure) {
        if connection.isBroken { throw failure(ofLogin: connection, attempt) }
        var events = POLLOUT
        var received = 0
        var passwords = PostgresPasswordWatch()
        while true {
            // After a refusal of TLS, libpq may open another connection.
            let isConnecting = connection.isConnecting
            attempt.reached(isConnecting ? .connecting : .login)
            try attempt.wait(for: events, on: connection.descriptor)
            if isConnecting, let error = TCPConnection.pendingError(of: connection.descriptor) {
                throw attempt.failure(error)
            }
            // The header is sent on each connection: after a refusal of TLS, libpq opens another one.
            if isConnecting, let version = server.proxyHeader, !attempt.address.isUnix {
                try connection.send(version, attempt)
            }
            received += connection.arrivedBytes
            if received > Self.largestAnswer {
                throw attempt.failure(.protocolViolation, "sent more than 1 MiB during the login")
            }
            if isConnecting { passwords = PostgresPasswordWatch() }
            let isFlood = received > Self.usualAnswer
            if isFlood { connection.freeze() }
            let step = try continueLogin(&connection, &passwords, attempt)
            if isFlood { connection.thaw() }
            switch step {
            case nil: continue
            case .wait(let next): events = next
            case .finished: return
            case .failed: throw failure(ofLogin: connection, attempt)
            }
        }
    }

    /// Lets libpq continue, unless the server requests the password in a way that is not allowed.
    ///
    /// - Returns: `nil` if more bytes are needed first.
    private func continueLogin(
        _ connection: inout PostgresConnection, _ passwords: inout PostgresPasswordWatch, _ attempt: PingAttempt
    ) throws(PingFailure) -> PostgresConnection.LoginStep? {
        guard connection.awaitsAuthentication, !passwords.isOver, server.password != nil else {
            return connection.continueLogin()
        }
        connection.freeze()
        let unread = connection.unread()
        let reading: PostgresPasswordWatch.Reading
        switch unread {
        case .bytes(let bytes) where bytes.count == PostgresConnection.mostUnread:
            throw attempt.failure(.protocolViolation, "sent too much data during the login")
        case .bytes(let bytes): reading = passwords.read(bytes)
        case .end: reading = .whole(asks: nil)
        case .none:
            connection.thaw()
            return nil
        }
        switch reading {
        case .whole(let method?) where !server.mayAsk(method):
            throw attempt.failure(.authentication, server.refusal(of: method))
        case .whole:
            let step = connection.continueLogin()
            connection.thaw()
            return step
        case .incomplete(let needed):
            connection.thaw()
            try waitForBytes(needed, connection, attempt)
            return nil
        }
    }

    /// Waits until this number of bytes, or the end of the stream, can be read.
    private func waitForBytes(
        _ count: Int, _ connection: borrowing PostgresConnection, _ attempt: PingAttempt
    ) throws(PingFailure) {
        // With TLS, only one record is visible at a time. Real servers do not split the head of a message across
        // records.
        if connection.tlsSession != nil {
            throw attempt.failure(.protocolViolation, "the authentication request is split across TLS records")
        }
        connection.setLowWater(count)
        defer { connection.setLowWater(1) }
        try attempt.wait(for: POLLIN, on: connection.descriptor)
    }

    /// Runs a query and returns its rows.
    package func rows(
        of question: PostgresQuestion, _ connection: inout PostgresConnection, _ attempt: PingAttempt
    ) throws(PingFailure) -> [[String?]] {
        guard connection.send(question.query) else { throw failure(ofQuery: connection, attempt) }
        var rows: [[String?]] = []
        var unsent = connection.flush()
        var received = 0
        var failure: PingFailure?
        while true {
            while connection.isBusy {
                if unsent < 0 { throw self.failure(ofQuery: connection, attempt) }
                try attempt.wait(for: unsent > 0 ? POLLIN | POLLOUT : POLLIN, on: connection.descriptor)
                received += connection.arrivedBytes
                if received > Self.largestAnswer {
                    throw attempt.failure(queryFailure(attempt), "the answer to \(question.name) is longer than 1 MiB")
                }
                let isFlood = received > Self.usualAnswer
                if isFlood { connection.freeze() }
                let isAlive = connection.consumeInput()
                if isFlood { connection.thaw() }
                if !isAlive { throw self.failure(ofQuery: connection, attempt) }
                if unsent > 0 { unsent = connection.flush() }
            }
            switch connection.nextResult() {
            case nil:
                if let failure { throw failure }
                return rows
            case .row(let row): rows.append(row)
            case .success: continue
            case .copy: throw attempt.failure(queryFailure(attempt), "\(question.name) is a COPY")
            // The answer is read to its end, so that the session can be terminated properly.
            case .failure(let error): failure = failure ?? self.failure(of: error, to: question, attempt)
            }
        }
    }

    /// The reason for a failed query: a server that has answered the ping query is alive.
    private func queryFailure(_ attempt: PingAttempt) -> PingFailure.Reason {
        attempt.stage == .question ? .unanswered : .query
    }

    private func failure(ofLogin connection: borrowing PostgresConnection, _ attempt: PingAttempt) -> PingFailure {
        let error = PostgresError(connectionText: connection.errorMessage)
        if error.sqlState == nil, error.reason == nil, let systemError = SystemError.mentioned(in: error.text) {
            return attempt.failure(systemError)
        }
        return attempt.failure(error.reasonWhileLoggingIn, error.message)
    }

    private func failure(ofQuery connection: borrowing PostgresConnection, _ attempt: PingAttempt) -> PingFailure {
        failure(of: PostgresError(connectionText: connection.errorMessage), attempt)
    }

    private func failure(
        of error: PostgresError, to question: PostgresQuestion, _ attempt: PingAttempt
    ) -> PingFailure {
        let message = question.prefix + error.message
        guard error.isOfPrivileges, let grant = question.grant(helpingAgainst: error.text) else {
            return failure(of: error, message: message, attempt)
        }
        return attempt.failure(.missingPrivilege, "\(message); grant it with: \(grant)")
    }

    private func failure(of error: PostgresError, message: String? = nil, _ attempt: PingAttempt) -> PingFailure {
        if let reason = error.reason { return attempt.failure(reason, message ?? error.message) }
        if error.sqlState != nil {
            return attempt.failure(queryFailure(attempt), message ?? error.message)
        }
        if let systemError = SystemError.mentioned(in: error.text) { return attempt.failure(systemError) }
        return attempt.failure(error.reasonWhileLoggingIn, error.message)
    }
}
