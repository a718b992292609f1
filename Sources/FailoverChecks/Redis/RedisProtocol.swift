import CHiredis
import FailoverCore

/// A Redis server's answer to a command of a ping.
enum RedisReply: Equatable {
    /// A status or a string.
    case text(String)
    /// An error.
    case error(RedisError)
    /// An answer that is not valid for any command of a ping.
    case other
}

/// An error of a Redis server, for example `NOAUTH Authentication required.`
struct RedisError: Equatable {
    let text: String

    /// The first word of the text. `ERR` has no specific meaning.
    private var code: Substring { text.prefix { $0 != " " } }

    /// Whether the user only lacks the permission for this command.
    var isOfPermission: Bool { code == "NOPERM" }

    /// The meaning of the error at a stage of the ping.
    func reason(at stage: PingFailure.Stage) -> PingFailure.Reason {
        switch code {
        case "LOADING": .startingUp
        case "MASTERDOWN", "CLUSTERDOWN": .cutOff
        case "NOAUTH", "WRONGPASS": .authentication
        // The server is in protected mode: it has no password, and the ping comes from another machine.
        case "DENIED": .hostBlocked
        default:
            if text.contains("max number of clients") {
                .tooManyConnections
            } else {
                stage == .login ? .authentication : .query
            }
        }
    }
}

/// Parses the replies of a Redis server with hiredis' reader.
struct RedisReplyReader: ~Copyable {
    /// The reader. It rejects arrays, because no command of a ping has such an answer.
    private let reader: UnsafeMutablePointer<redisReader>

    /// `nil` if memory is exhausted.
    init?() {
        guard let reader = failover_redis_reader() else { return nil }
        self.reader = reader
    }

    deinit { redisReaderFree(reader) }

    mutating func feed(_ bytes: ArraySlice<UInt8>) throws(ProtocolViolation) {
        let result = bytes.withUnsafeBytes {
            redisReaderFeed(reader, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        if result != REDIS_OK { throw ProtocolViolation(message: "the answer is not RESP") }
    }

    /// The next reply; `nil` if it is incomplete.
    mutating func next() throws(ProtocolViolation) -> RedisReply? {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &object) == REDIS_OK else {
            throw ProtocolViolation(message: "the answer is not RESP")
        }
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

    /// The encoded command: an array of strings, each with its length, so that any bytes are allowed.
    var bytes: [UInt8] {
        words.reduce(into: Array("*\(words.count)\r\n".utf8)) { bytes, word in
            bytes += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8)
        }
    }
}

/// The answer to INFO: lines of `name:value`.
struct RedisInfo {
    private let values: [Substring: Substring]

    init(_ text: String) {
        let pairs = text.split(whereSeparator: \.isNewline).compactMap { line -> (Substring, Substring)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (line[..<colon], line[line.index(after: colon)...])
        }
        values = Dictionary(pairs) { first, _ in first }
    }

    /// Why the server counts as down although it answers; `nil` if it is healthy.
    var trouble: (reason: PingFailure.Reason, message: String)? {
        if values["loading"] == "1" { return (.startingUp, "is loading its data") }
        guard values["master_link_status"] == "down" else { return nil }
        let primary = "\(values["master_host"] ?? "?"):\(values["master_port"] ?? "?")"
        return values["master_sync_in_progress"] == "1"
            ? (.cutOff, "is still copying the data of its primary \(primary)")
            : (.cutOff, "has lost its primary \(primary)")
    }
}
