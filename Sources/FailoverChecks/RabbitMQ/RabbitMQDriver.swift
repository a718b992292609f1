import FailoverCore

/// Logs in to a RabbitMQ server, opens the virtual host and a channel, and closes both in order.
///
/// Speaks AMQP 0-9-1 itself, of which a ping needs a dozen methods: librabbitmq asks its clock only when nothing has
/// arrived, so that a server which always has another frame keeps it for ever; and for TLS it looks the name up
/// itself, for as long as that takes.
struct RabbitMQDriver: PingDriver {
    let server: RabbitMQServer

    func ping(_ attempt: PingAttempt) throws(PingFailure) {
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
    }

    private func logIn(_ conversation: inout AMQPConversation, _ attempt: PingAttempt) throws(PingFailure) {
        guard case .start(let mechanisms) = try conversation.next() else { throw conversation.surprise }
        guard mechanisms.split(separator: " ").contains("PLAIN") else {
            throw attempt.failure(.authentication, "offers no PLAIN to log in by, only \(mechanisms)")
        }
        try conversation.send(.startOK(user: server.user, password: server.password.reveal()))
        guard case .tune(let channels, let frameSize) = try conversation.next() else { throw conversation.surprise }
        try conversation.send(.tuneOK(channels: channels, frameSize: frameSize))
        try conversation.expect(.opened, to: .open(virtualHost: server.virtualHost))
    }
}
