/// The first message of a PostgreSQL client, which has no type: a length and a code; chapter "Message Formats".
enum PostgresFirstMessage: Equatable {
    /// The message is incomplete.
    case incomplete
    /// `SSLRequest`, `length` bytes long.
    case sslRequest
    /// `GSSENCRequest`.
    case gssRequest
    /// `CancelRequest` with a process ID and its secret key. It ends the stream.
    case cancel(length: Int)
    /// `StartupMessage` of any protocol version.
    case startup(length: Int)
    /// A TLS handshake without a request before it (`sslnegotiation=direct`).
    case directTLS
    /// Something that a PostgreSQL server would not answer.
    case malformed

    /// The length of SSLRequest and GSSENCRequest.
    static let requestLength = 8
    /// The server's own limit for a startup packet (`MAX_STARTUP_PACKET_LENGTH`).
    static let longest = 10_000
    /// A cancel key has up to 256 bytes from protocol 3.2 on.
    private static let longestCancel = 12 + 256
    /// The content type of a TLS record that carries a handshake; RFC 8446, 5.1.
    private static let tlsHandshake: UInt8 = 0x16

    /// Reads the beginning of a client's stream.
    init(_ bytes: [UInt8]) {
        guard let first = bytes.first else {
            self = .incomplete
            return
        }
        if first == Self.tlsHandshake {
            self = .directTLS
            return
        }
        // A length out of bounds is detected from its first bytes.
        guard first == 0, bytes.count < 2 || bytes[1] == 0 else {
            self = .malformed
            return
        }
        guard bytes.count >= 8 else {
            self =
                bytes.count >= 4 && !(8...Self.longest).contains(Self.number(bytes, at: 0)) ? .malformed : .incomplete
            return
        }
        let length = Self.number(bytes, at: 0)
        guard (8...Self.longest).contains(length) else {
            self = .malformed
            return
        }
        switch Self.number(bytes, at: 4) {
        case 80_877_103: self = length == Self.requestLength ? .sslRequest : .malformed
        case 80_877_104: self = length == Self.requestLength ? .gssRequest : .malformed
        case 80_877_102:
            guard (13...Self.longestCancel).contains(length) else {
                self = .malformed
                return
            }
            self = bytes.count < length ? .incomplete : .cancel(length: length)
        default: self = bytes.count < length ? .incomplete : .startup(length: length)
        }
    }

    /// The four bytes at `index` as a number in network order. The caller has checked that they exist.
    static func number(_ bytes: [UInt8], at index: Int) -> Int {
        Int(bytes[index]) << 24 | Int(bytes[index + 1]) << 16 | Int(bytes[index + 2]) << 8 | Int(bytes[index + 3])
    }
}

// MARK: - Encrypted streams

/// The beginning of a client's encrypted stream. A server that has only a part of a message waits for the rest, so its
/// silence does not mean that it fails.
enum FirstFlight {
    /// The content types of TLS records, and the type of a handshake record; RFC 8446, 5.1.
    private static let types: ClosedRange<UInt8> = 20...23
    private static let handshake: UInt8 = 22
    private static let clientHello: UInt8 = 1
    /// The size of a record header, and of the longest record that any version allows.
    private static let headSize = 5
    private static let longestRecord = 16_384 + 2048
    /// The longest GSSAPI token that PostgreSQL accepts (`PQ_GSS_AUTH_BUFFER_SIZE`).
    private static let longestToken = 65_536

    /// Whether a server can answer: the bytes contain a whole ClientHello, or something that cannot be one.
    static func isWholeTLS(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        var hello: [UInt8] = []
        while rest.count >= headSize {
            let head = Array(rest.prefix(headSize))
            let length = Int(head[3]) << 8 | Int(head[4])
            guard types.contains(head[0]), head[1] == 3, (1...longestRecord).contains(length) else { return true }
            guard rest.count >= headSize + length else { return false }
            guard head[0] == handshake else { return true }
            hello += rest.dropFirst(headSize).prefix(length)
            rest = rest.dropFirst(headSize + length)
            guard hello.first == clientHello else { return true }
            guard hello.count >= 4 else { continue }
            if hello.count - 4 >= Int(hello[1]) << 16 | Int(hello[2]) << 8 | Int(hello[3]) { return true }
        }
        return false
    }

    /// Whether a server can answer: the bytes contain a whole first token, or something that cannot be one. A length
    /// precedes the token; PostgreSQL, chapter "GSSAPI Session Encryption".
    static func isWholeGSSAPI(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 4 else { return false }
        let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        return !(1...longestToken).contains(length) || bytes.count - 4 >= length
    }
}

/// An alert for a client that has begun TLS or is about to, sent instead of a server's first record; RFC 8446 §5.1,
/// §6.
enum TLSAlert {
    /// A fatal alert that clients report as "access denied".
    static let accessDenied: [UInt8] = [21, 3, 3, 0, 2, 2, 49]
}

/// What a server has reported about its own state in a session.
struct ServerSigns: OptionSet {
    let rawValue: UInt8
    /// The server is shutting down.
    static let shutdown = ServerSigns(rawValue: 1 << 0)
    /// The server had no connection slot for the client and noticed it after the login began.
    static let full = ServerSigns(rawValue: 1 << 1)
}
