import FailoverCore

/// Logs in to a RabbitMQ server, opens the virtual host and a channel, and closes both properly.
///
/// This type implements AMQP 0-9-1 itself; a ping needs a dozen methods of it. librabbitmq checks its time limit only
/// when no data has arrived, so a server that keeps sending frames can delay it without limit. For TLS it looks up the
/// host name itself, without a time limit.
struct RabbitMQDriver: PingDriver {
    let server: RabbitMQServer

    func ping(_ attempt: PingAttempt) throws(PingFailure) -> ServerAnswer {
        guard server.virtualHost.utf8.count <= 255 else {
            throw attempt.failure(.local, "the name of the virtual host is longer than 255 bytes")
        }
        let stream = try PingStream.connect(
            attempt, to: server.endpoint, tls: server.tls, authorities: server.tlsAuthorities)
        attempt.reached(.login)
        var conversation = try AMQPConversation(stream, attempt)
        try logIn(&conversation, attempt)

        attempt.reached(.query)
        try conversation.expect(.channelOpened, to: .channelOpen)
        try conversation.expect(.channelClosed, to: .channelClose)
        try conversation.expect(.closed, to: .close)
        conversation.end()
        return ServerAnswer()
    }

    private func logIn(_ conversation: inout AMQPConversation, _ attempt: PingAttempt) throws(PingFailure) {
        guard case .start(let mechanisms) = try conversation.next() else { throw conversation.surprise }
        guard mechanisms.split(separator: " ").contains("PLAIN") else {
            throw attempt.failure(.authentication, "does not offer PLAIN authentication, only \(mechanisms)")
        }
        try conversation.send(.startOK(user: server.user, password: server.password.reveal()))
        guard case .tune(let channels, let frameSize) = try conversation.next() else { throw conversation.surprise }
        try conversation.send(.tuneOK(channels: channels, frameSize: frameSize))
        try conversation.expect(.opened, to: .open(virtualHost: server.virtualHost))
    }
}

/// Sends methods and reads their answers, one at a time.
struct AMQPConversation: ~Copyable {
    private var stream: PingStream
    private let attempt: PingAttempt
    private var arrived: [UInt8] = []

    /// Opens the connection. The server sends the first method.
    init(_ stream: consuming PingStream, _ attempt: PingAttempt) throws(PingFailure) {
        try stream.send(AMQPFrame.protocolHeader)
        self.stream = stream
        self.attempt = attempt
    }

    mutating func send(_ frame: AMQPFrame) throws(PingFailure) { try stream.send(frame.bytes) }

    /// The server's next method. A method that closes the connection or the channel is a failure.
    mutating func next() throws(PingFailure) -> AMQPMethod {
        let method = try nextOfAny()
        switch method {
        case .close(let code, let text):
            try send(.closeOK)
            throw attempt.failure(Self.reason(of: code, text, at: attempt.stage), "\(code): \(text)")
        case .channelClose(let code, let text):
            throw attempt.failure(Self.reason(of: code, text, at: attempt.stage), "\(code): \(text)")
        default: return method
        }
    }

    /// Sends a method, and checks that the server gives the only valid answer.
    mutating func expect(_ answer: AMQPMethod, to frame: AMQPFrame) throws(PingFailure) {
        try send(frame)
        guard try next() == answer else { throw surprise }
    }

    /// The failure for an unexpected answer.
    var surprise: PingFailure { attempt.failure(.protocolViolation, "unexpected AMQP 0-9-1 answer") }

    consuming func end() { stream.closeInOrder() }

    private mutating func nextOfAny() throws(PingFailure) -> AMQPMethod {
        while true {
            do throws(ProtocolViolation) {
                while let frame = try AMQPFrame.take(from: &arrived) {
                    if frame.type == AMQPFrame.method { return try AMQPMethod(frame.payload) }
                }
            } catch {
                throw attempt.failure(.protocolViolation, error.message)
            }
            arrived += try stream.receive()
        }
    }

    /// The meaning of a reply code (chapter 1.2).
    private static func reason(
        of code: UInt16, _ text: String, at stage: PingFailure.Stage
    ) -> PingFailure.Reason {
        switch code {
        case 320: .shuttingDown
        // The code means "not allowed": the virtual host is unknown or not permitted, or a limit of the user, the
        // virtual host or the server is reached.
        case 530: text.contains("connection limit") ? .tooManyConnections : .authentication
        case 402, 403: .authentication
        case 501...505: .protocolViolation
        default: stage == .query ? .query : .other
        }
    }
}
