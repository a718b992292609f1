import FailoverCore
import FailoverSystem
import Glibc

/// Logs in to a PostgreSQL server, runs the ping query, asks for role and replication if told to, and terminates in order.
struct PostgresDriver: PingDriver {
    /// A ping's queries answer with a row or so. More than this is a mistake, or a server that means harm.
    private static let largestAnswer = 1 << 20
    /// libpq reads for as long as there is something. Past this the socket receives nothing meanwhile, so that who sends without
    /// end does not keep it reading, and is counted.
    private static let usualAnswer = 64 << 10

    let server: DatabaseServer
    /// Is told of replication; `nil` when nobody wants to know.
    var replica: ReplicaWatch?
    /// Is told which server it is; `nil` when nobody wants to know.
    var identity: ServerIdentity?
    /// Where positions are compared; `nil` where nobody does.
    var place: PrimaryPositions.Place?

    func ping(_ attempt: PingAttempt) throws(PingFailure) {
        let parameters = try PostgresParameters(server, attempt)
        guard var connection = PostgresConnection(parameters.list) else {
            throw attempt.failure(.local, "out of memory")
        }
        try logIn(&connection, attempt)
        attempt.reached(.query)
        _ = try rows(of: PostgresQuestion(server.pingQuery, called: "the ping query"), &connection, attempt)
        attempt.reached(.question)
        if let identity {
            identity.observe(postgres: try rows(of: ServerIdentity.postgresQuestion, &connection, attempt))
        }
        if let replica {
            try ask(replica, &connection, attempt)
        } else {
            try askForRole(&connection, attempt)
        }
        if let place, place.isWanted { try askForPosition(place, &connection, attempt) }
    }

    /// A primary that does not tell is as well as any other.
    private func askForPosition(
        _ place: PrimaryPositions.Place, _ connection: inout PostgresConnection, _ attempt: PingAttempt
    ) throws(PingFailure) {
        do {
            let rows = try rows(
                of: PostgresReplication.positionQuestion(user: server.user ?? ""), &connection, attempt)
            place.tell(rows.first?.first?.flatMap { UInt64($0) })
        } catch  where error.kind == .refusal {
            place.tell(nil)
        }
    }

    /// Asks for the role, if it matters, and for all that matters of replication.
    private func ask(
        _ replica: ReplicaWatch, _ connection: inout PostgresConnection, _ attempt: PingAttempt
    ) throws(PingFailure) {
        var reading = ReplicationReading()
        if replica.policy.needsTheServersWord {
            reading = try askForRoleAndReplication(&connection, attempt)
            reading.positions?.primary = place?.ofPrimary
        } else {
            try askForRole(&connection, attempt)
        }
        if let query = replica.policy.heartbeatQuery {
            reading.heartbeat = try askForHeartbeat(query, &connection, attempt)
        }
        try replica.observe(reading, attempt)
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
                .missingPrivilege, "pg_stat_wal_receiver hides the receiver's state; what helps: \(grant)")
        case .nonsense: throw attempt.failure(.protocolViolation, "what it says of its replication makes no sense")
        }
    }

    /// Logs in, on a connection that has just begun.
    func logIn(_ connection: inout PostgresConnection, _ attempt: PingAttempt) throws(PingFailure) {
        if connection.isBroken { throw failure(ofLogin: connection, attempt) }
        var events = POLLOUT
        var received = 0
        var passwords = PostgresPasswordWatch()
        while true {
            // After a refusal of TLS, libpq may connect anew.
            let isConnecting = connection.isConnecting
            attempt.reached(isConnecting ? .connecting : .login)
            try attempt.wait(for: events, on: connection.descriptor)
            if isConnecting, let error = TCPConnection.pendingError(of: connection.descriptor) {
                throw attempt.failure(error)
            }
            // On each connection: after a refusal of TLS there is another.
            if isConnecting, let version = server.proxyHeader, !attempt.address.isUnix {
                try connection.send(version, attempt)
            }
            received += connection.arrivedBytes
            if received > Self.largestAnswer {
                throw attempt.failure(.protocolViolation, "says more than 1 MiB while it is logged in to")
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

    /// Lets libpq go on, unless the server asks for the password in a way that it may not.
    ///
    /// - Returns: `nil` when there is more to wait for first.
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
            throw attempt.failure(.protocolViolation, "says too much while it is logged in to")
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

    /// Waits until so many bytes can be read, or the end.
    private func waitForBytes(
        _ count: Int, _ connection: borrowing PostgresConnection, _ attempt: PingAttempt
    ) throws(PingFailure) {
        // Of TLS no more than a record can be looked at, and no server begins a message in one to end its head in another.
        if connection.tlsSession != nil {
            throw attempt.failure(.protocolViolation, "its request for authentication is cut in pieces")
        }
        connection.setLowWater(count)
        defer { connection.setLowWater(1) }
        try attempt.wait(for: POLLIN, on: connection.descriptor)
    }

    /// The rows of the answer.
    func rows(
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
            // The connection is read to the end of the answer, so that it can be terminated in order.
            case .failure(let error): failure = failure ?? self.failure(of: error, to: question, attempt)
            }
        }
    }

    /// The reason of a question that failed: a server that has answered the ping query lives.
    private func queryFailure(_ attempt: PingAttempt) -> PingFailure.Reason {
        attempt.stage == .question ? .unanswered : .query
    }

    private func failure(ofLogin connection: borrowing PostgresConnection, _ attempt: PingAttempt) -> PingFailure {
        let error = PostgresError(connectionText: connection.errorMessage)
        if error.sqlState == nil, error.reason == nil, let systemError = SystemError.mentioned(in: error.text) {
            return attempt.failure(systemError)
        }
        return attempt.failure(error.reasonWhileLoggingIn, error.words)
    }

    private func failure(ofQuery connection: borrowing PostgresConnection, _ attempt: PingAttempt) -> PingFailure {
        failure(of: PostgresError(connectionText: connection.errorMessage), attempt)
    }

    private func failure(
        of error: PostgresError, to question: PostgresQuestion, _ attempt: PingAttempt
    ) -> PingFailure {
        let words = question.prefix + error.words
        guard error.isOfPrivileges, let grant = question.grant(helpingAgainst: error.text) else {
            return failure(of: error, words: words, attempt)
        }
        return attempt.failure(.missingPrivilege, "\(words); what helps: \(grant)")
    }

    private func failure(of error: PostgresError, words: String? = nil, _ attempt: PingAttempt) -> PingFailure {
        if let reason = error.reason { return attempt.failure(reason, words ?? error.words) }
        if error.sqlState != nil {
            return attempt.failure(queryFailure(attempt), words ?? error.words)
        }
        if let systemError = SystemError.mentioned(in: error.text) { return attempt.failure(systemError) }
        return attempt.failure(error.reasonWhileLoggingIn, error.words)
    }
}
