import CHiredis

/// Finds the replies in what a Redis server says: hiredis' reader.
struct RedisReplyReader: ~Copyable {
    /// The bytes are no reply, or an array, which no command of a ping has as its answer.
    struct Malformed: Error {}

    private let reader: UnsafeMutablePointer<redisReader>

    /// `nil` when there is no memory.
    init?() {
        guard let reader = failover_redis_reader() else { return nil }
        self.reader = reader
    }

    deinit { redisReaderFree(reader) }

    mutating func feed(_ bytes: ArraySlice<UInt8>) throws(Malformed) {
        let result = bytes.withUnsafeBytes {
            redisReaderFeed(reader, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        if result != REDIS_OK { throw Malformed() }
    }

    /// The next reply; `nil` if it has not arrived as a whole.
    mutating func next() throws(Malformed) -> RedisReply? {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw Malformed() }
        guard let object else { return nil }
        defer { freeReplyObject(object) }
        let reply = object.assumingMemoryBound(to: redisReply.self).pointee
        switch reply.type {
        case REDIS_REPLY_STATUS, REDIS_REPLY_STRING: return .text(Self.text(of: reply))
        case REDIS_REPLY_ERROR: return .error(RedisError(text: Self.text(of: reply)))
        default: return .other
        }
    }

    private static func text(of reply: redisReply) -> String {
        String(decoding: UnsafeRawBufferPointer(start: reply.str, count: Int(reply.len)), as: UTF8.self)
    }
}

/// A command with its arguments.
struct RedisCommand {
    let words: [String]

    init(_ words: String...) { self.words = words }

    /// As it goes on the wire: an array of texts, each with its length, whatever bytes it holds.
    var bytes: [UInt8] {
        words.reduce(into: Array("*\(words.count)\r\n".utf8)) { bytes, word in
            bytes += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8)
        }
    }
}
