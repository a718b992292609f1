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
