import FailoverCore

/// Logs in to a Redis server, pings it, and queries whether it is loading its data or has lost its primary.
///
/// If the user lacks the permission for this query, a successful PING is enough.
struct RedisDriver: PingDriver {
    let server: RedisServer

    func ping(_ attempt: PingAttempt) throws(PingFailure) -> ServerAnswer {
        let stream = try PingStream.connect(
            attempt, to: server.endpoint, tls: server.tls, authorities: server.tlsAuthorities)
        guard let replies = RedisReplyReader() else { throw attempt.failure(.local, "out of memory") }
        var conversation = RedisConversation(stream, replies, attempt)

        attempt.reached(.login)
        if let password = server.password?.reveal() ?? server.user.map({ _ in "" }) {
            // Before version 6, Redis has no users, and AUTH takes only a password.
            try conversation.expect(
                "OK", to: server.user.map { RedisCommand("AUTH", $0, password) } ?? RedisCommand("AUTH", password))
        }
        if server.database != 0 { try conversation.expect("OK", to: RedisCommand("SELECT", "\(server.database)")) }

        attempt.reached(.query)
        try conversation.expect("PONG", to: RedisCommand("PING"))
        for section in ["replication", "persistence"] {
            guard let text = try conversation.text(RedisCommand("INFO", section)) else { continue }
            if let trouble = RedisInfo(text).trouble { throw attempt.failure(trouble.reason, trouble.message) }
        }
        conversation.end()
        return ServerAnswer()
    }
}

/// Sends commands and reads their answers, one at a time.
private struct RedisConversation: ~Copyable {
    private var stream: PingStream
    private var replies: RedisReplyReader
    private let attempt: PingAttempt

    init(_ stream: consuming PingStream, _ replies: consuming RedisReplyReader, _ attempt: PingAttempt) {
        self.stream = stream
        self.replies = replies
        self.attempt = attempt
    }

    /// Sends a command, and checks that the server gives the only valid answer. After the login, a missing permission
    /// is accepted too.
    mutating func expect(_ answer: String, to command: RedisCommand) throws(PingFailure) {
        switch try reply(to: command) {
        case .text(answer): return
        case .error(let error) where error.isOfPermission && attempt.stage == .query: return
        case .error(let error): throw attempt.failure(error.reason(at: attempt.stage), error.text)
        case .text, .other: throw attempt.failure(.protocolViolation, "unexpected Redis answer")
        }
    }

    /// Sends a command and returns its answer; `nil` if the server refuses the command.
    mutating func text(_ command: RedisCommand) throws(PingFailure) -> String? {
        switch try reply(to: command) {
        case .text(let text): return text
        case .error(let error):
            let reason = error.reason(at: attempt.stage)
            if reason == .query { return nil }
            throw attempt.failure(reason, error.text)
        case .other: throw attempt.failure(.protocolViolation, "unexpected Redis answer")
        }
    }

    private mutating func reply(to command: RedisCommand) throws(PingFailure) -> RedisReply {
        try stream.send(command.bytes)
        do {
            while true {
                if let reply = try replies.next() { return reply }
                try replies.feed(try stream.receive())
            }
        } catch let error as PingFailure {
            throw error
        } catch {
            throw attempt.failure(.protocolViolation, "the answer is not RESP")
        }
    }

    consuming func end() { stream.closeInOrder() }
}
