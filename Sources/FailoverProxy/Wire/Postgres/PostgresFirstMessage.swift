/// What a PostgreSQL client says before its stream has typed messages: a length and a code; chapter "Message Formats".
enum PostgresFirstMessage: Equatable {
    /// Not all of it has arrived.
    case incomplete
    /// `SSLRequest`, `length` bytes long.
    case sslRequest
    /// `GSSENCRequest`.
    case gssRequest
    /// `CancelRequest` with a process and its secret key; ends the stream.
    case cancel(length: Int)
    /// `StartupMessage` of whichever protocol version.
    case startup(length: Int)
    /// A TLS handshake without a request before it (`sslnegotiation=direct`).
    case directTLS
    /// Nothing that a PostgreSQL server would answer.
    case garbage

    /// SSLRequest and GSSENCRequest are that long.
    static let requestLength = 8
    /// The server's own limit for a startup packet (`MAX_STARTUP_PACKET_LENGTH`).
    static let longest = 10_000
    /// A cancel key has up to 256 bytes from protocol 3.2 on.
    private static let longestCancel = 12 + 256
    /// The content type of a TLS record that carries a handshake; RFC 8446, 5.1.
    private static let tlsHandshake: UInt8 = 0x16

    /// Reads the beginning of what a client sent.
    init(_ bytes: [UInt8]) {
        guard let first = bytes.first else {
            self = .incomplete
            return
        }
        if first == Self.tlsHandshake {
            self = .directTLS
            return
        }
        // What cannot become a length in bounds is told from its first bytes.
        guard first == 0, bytes.count < 2 || bytes[1] == 0 else {
            self = .garbage
            return
        }
        guard bytes.count >= 8 else {
            self = bytes.count >= 4 && !(8...Self.longest).contains(Self.number(bytes, at: 0)) ? .garbage : .incomplete
            return
        }
        let length = Self.number(bytes, at: 0)
        guard (8...Self.longest).contains(length) else {
            self = .garbage
            return
        }
        switch Self.number(bytes, at: 4) {
        case 80_877_103: self = length == Self.requestLength ? .sslRequest : .garbage
        case 80_877_104: self = length == Self.requestLength ? .gssRequest : .garbage
        case 80_877_102:
            guard (13...Self.longestCancel).contains(length) else {
                self = .garbage
                return
            }
            self = bytes.count < length ? .incomplete : .cancel(length: length)
        default: self = bytes.count < length ? .incomplete : .startup(length: length)
        }
    }

    /// The four bytes from `index` on, which the caller has seen to be there, as a number in network order.
    static func number(_ bytes: [UInt8], at index: Int) -> Int {
        Int(bytes[index]) << 24 | Int(bytes[index + 1]) << 16 | Int(bytes[index + 2]) << 8 | Int(bytes[index + 3])
    }
}
