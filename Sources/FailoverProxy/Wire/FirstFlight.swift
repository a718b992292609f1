/// The beginning of a client's encrypted stream. A server that was given half a message waits for the rest, and its
/// silence says nothing of it.
enum FirstFlight {
    /// Content types of TLS records, and the one that carries a handshake; RFC 8446, 5.1.
    private static let types: ClosedRange<UInt8> = 20...23
    private static let handshake: UInt8 = 22
    private static let clientHello: UInt8 = 1
    /// Bytes of a record's head, and of the longest record that any version allows.
    private static let headSize = 5
    private static let longestRecord = 16_384 + 2048
    /// Bytes of a GSSAPI token, as PostgreSQL limits them (`PQ_GSS_AUTH_BUFFER_SIZE`).
    private static let longestToken = 65_536

    /// Whether a server can answer: all of a ClientHello is there, or what no server takes for one.
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

    /// Whether a server can answer: all of the first token is there, or what no server takes for one. A token comes
    /// behind its length; PostgreSQL, chapter "GSSAPI Session Encryption".
    static func isWholeGSSAPI(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 4 else { return false }
        let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        return !(1...longestToken).contains(length) || bytes.count - 4 >= length
    }
}
