import CHiredis
import FailoverCore

/// What a Redis server answers to a command of a ping.
enum RedisReply: Equatable {
    /// A status or a text.
    case text(String)
    /// A refusal.
    case error(RedisError)
    /// An answer that no command of a ping has.
    case other
}

/// A refusal of a Redis server: `NOAUTH Authentication required.`
struct RedisError: Equatable {
    let text: String

    /// The word that the text begins with; `ERR` says nothing.
    private var code: Substring { text.prefix { $0 != " " } }

    /// Whether the user is known, and may only not do this.
    var isOfPermission: Bool { code == "NOPERM" }

    /// What the error means at a stage of the ping.
    func reason(at stage: PingFailure.Stage) -> PingFailure.Reason {
        switch code {
        case "LOADING": .startingUp
        case "MASTERDOWN", "CLUSTERDOWN": .cutOff
        case "NOAUTH", "WRONGPASS": .authentication
        // Protected mode: no password is set, and the ping comes from another machine.
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

/// What a server tells of itself by INFO: lines of `name:value`.
struct RedisInfo {
    private let values: [Substring: Substring]

    init(_ text: String) {
        let pairs = text.split(whereSeparator: \.isNewline).compactMap { line -> (Substring, Substring)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (line[..<colon], line[line.index(after: colon)...])
        }
        values = Dictionary(pairs) { first, _ in first }
    }

    /// Why the server is of no use although it answers, if so.
    var trouble: (reason: PingFailure.Reason, words: String)? {
        if values["loading"] == "1" { return (.startingUp, "is loading its data") }
        guard values["master_link_status"] == "down" else { return nil }
        let primary = "\(values["master_host"] ?? "?"):\(values["master_port"] ?? "?")"
        return values["master_sync_in_progress"] == "1"
            ? (.cutOff, "is still copying the data of its primary \(primary)")
            : (.cutOff, "has lost its primary \(primary)")
    }
}
