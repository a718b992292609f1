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
