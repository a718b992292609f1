import FailoverCore

/// Methods and their answers, one at a time.
struct AMQPConversation: ~Copyable {
    private var stream: PingStream
    private let attempt: PingAttempt
    private var arrived: [UInt8] = []

    /// Opens the conversation, in which the server says the first method.
    init(_ stream: consuming PingStream, _ attempt: PingAttempt) throws(PingFailure) {
        try stream.send(AMQPFrame.protocolHeader)
        self.stream = stream
        self.attempt = attempt
    }

    mutating func send(_ frame: AMQPFrame) throws(PingFailure) { try stream.send(frame.bytes) }

    /// The server's next method. What closes the connection or the channel is a failure.
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

    /// Sends a method that has one good answer.
    mutating func expect(_ answer: AMQPMethod, to frame: AMQPFrame) throws(PingFailure) {
        try send(frame)
        guard try next() == answer else { throw surprise }
    }

    /// The failure of saying what does not belong here.
    var surprise: PingFailure { attempt.failure(.protocolViolation, "does not answer as AMQP 0-9-1 wants it") }

    consuming func end() { stream.closeInOrder() }

    private mutating func nextOfAny() throws(PingFailure) -> AMQPMethod {
        while true {
            do throws(AMQPViolation) {
                while let frame = try AMQPFrame.take(from: &arrived) {
                    if frame.type == AMQPFrame.method { return try AMQPMethod(frame.payload) }
                }
            } catch {
                throw attempt.failure(.protocolViolation, error.words)
            }
            arrived += try stream.receive()
        }
    }

    /// What a reply code means (chapter 1.2).
    private static func reason(
        of code: UInt16, _ text: String, at stage: PingFailure.Stage
    ) -> PingFailure.Reason {
        switch code {
        case 320: .shuttingDown
        // Not allowed: no such virtual host, no right to it, or the limit of a user, a virtual host or the server.
        case 530: text.contains("connection limit") ? .tooManyConnections : .authentication
        case 402, 403: .authentication
        case 501...505: .protocolViolation
        default: stage == .query ? .query : .other
        }
    }
}
