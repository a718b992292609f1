import FailoverCore

/// Connects, and closes in order.
struct TCPDriver: PingDriver {
    /// The PROXY header that is sent first; `nil` sends nothing.
    var proxyHeader: ProxyHeaderVersion?

    func ping(_ attempt: PingAttempt) throws(PingFailure) {
        let connection = try TCPConnection(attempt)
        if let proxyHeader { try connection.send(connection.header(proxyHeader), attempt) }
        connection.closeInOrder(before: attempt.deadline)
    }
}
