import FailoverCore

/// Asks a Memcached server for its version; a server that accepts and does not answer is dead.
///
/// Speaks the text protocol itself: libmemcached's time limit is that of each wait, so that a server which sends a byte
/// now and then outlives it.
struct MemcachedDriver: PingDriver {
    func ping(_ attempt: PingAttempt) throws(PingFailure) {
        var stream = try PingStream(attempt)
        attempt.reached(.query)
        try stream.send(Array("version\r\n".utf8))
        var answer = MemcachedAnswer()
        while !answer.isWhole { answer.add(try stream.receive()) }
        if let failure = answer.failure { throw attempt.failure(failure.reason, failure.words) }
        stream.closeInOrder()
    }
}
