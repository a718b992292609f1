import FailoverCore

/// Looks at one server, at one address, on a thread that may block; ends soon after the attempt's deadline.
protocol ServerExamination: Sendable {
    /// What the server says of itself; `nil` when nothing is known of what it speaks.
    ///
    /// - Throws: why it could not be logged in to, or what went wrong later.
    func facts(_ attempt: PingAttempt) throws(PingFailure) -> ServerFacts?
}

/// Any other protocol: connects.
struct TCPExamination: ServerExamination {
    func facts(_ attempt: PingAttempt) throws(PingFailure) -> ServerFacts? {
        try TCPDriver().ping(attempt)
        return nil
    }
}
