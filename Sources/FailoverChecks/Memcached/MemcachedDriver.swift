import FailoverCore

/// Asks a memcached server for its version: the text protocol's `version`, protocol.txt of memcached.
///
/// Not through libmemcached: its limits hold for each wait, so that a server that says a byte a second outlives them.
struct MemcachedDriver: PingDriver {
    /// The answer is one short line.
    private static let longestLine = 512

    func ping(_ attempt: PingAttempt) throws(PingFailure) {
        var connection = try TCPConnection(attempt)
        attempt.reached(.query)
        try connection.send(Array("version\r\n".utf8), attempt)
        var answer: [UInt8] = []
        while !answer.contains(UInt8(ascii: "\n")) {
            let bytes = try connection.receive(attempt)
            if bytes.isEmpty { throw attempt.failure(.disconnected, "closed the connection without an answer") }
            answer += bytes
            if answer.count > Self.longestLine { break }
        }
        let line = String(decoding: answer.prefix(Self.longestLine).prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        // A server that wants a login first says so; it is well.
        guard line.hasPrefix("VERSION ") || line.hasPrefix("CLIENT_ERROR unauthenticated") else {
            throw attempt.failure(.protocolViolation, "not an answer of memcached: \(line.prefix(60))")
        }
        connection.closeInOrder(before: attempt.deadline)
    }
}
