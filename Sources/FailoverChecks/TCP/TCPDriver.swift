import FailoverCore

/// Connects, and closes in order.
struct TCPDriver: PingDriver {
    func ping(_ attempt: PingAttempt) throws(PingFailure) {
        let connection = try TCPConnection(attempt)
        connection.closeInOrder(before: attempt.deadline)
    }
}
