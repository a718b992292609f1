/// The next step of a ``Handshake``.
enum HandshakeStep: Equatable {
    /// Wait for the client.
    case awaitClient
    /// Connect to a backend.
    case connect
    /// Send these bytes to the backend and wait for its answer.
    case awaitBackend(sending: [UInt8])
    /// Send these bytes to the client and wait for its answer.
    case tellClient([UInt8])
    /// The backend serves. Send these bytes of it to the client first.
    case proven([UInt8])
    /// The backend failed.
    case failed(DialFailure)
    /// Connect to the same backend once more.
    case connectAgain
    /// A cancel request. Send it to every server that may run the query.
    case cancel([UInt8])
    /// Send these bytes to the client and end the session.
    case closingMessage([UInt8])
    /// End the session without a message. The text is the reason, for the log.
    case leave(String)
}
