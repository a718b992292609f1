import FailoverCore

/// Asks a Memcached server for its version; a server that accepts and does not answer is dead.
///
/// Speaks the text protocol itself: libmemcached's time limit is that of each wait, so that a server which sends a byte
/// now and then outlives it.
struct MemcachedDriver: PingDriver {
    /// No version is longer; an error line may carry a sentence.
    private static let longestLine = 1024

    func ping(_ attempt: PingAttempt) throws(PingFailure) {
        var stream = try PingStream(attempt)
        attempt.reached(.query)
        try stream.send(Array("version\r\n".utf8))
        var answer: [UInt8] = []
        while !answer.contains(UInt8(ascii: "\n")), answer.count <= Self.longestLine {
            answer += try stream.receive()
        }
        let line = String(decoding: answer.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard line.hasPrefix("VERSION "), line.hasSuffix("\r") else {
            throw attempt.failure(Self.reason(of: line), line)
        }
        stream.closeInOrder()
    }

    /// What an answer means that is no version.
    private static func reason(of line: String) -> PingFailure.Reason {
        if line.hasPrefix("ERROR Too many open connections") { return .tooManyConnections }
        if line.hasPrefix("CLIENT_ERROR unauthenticated") { return .authentication }
        return line.hasPrefix("SERVER_ERROR") ? .query : .protocolViolation
    }
}
