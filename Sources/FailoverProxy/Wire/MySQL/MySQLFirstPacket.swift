/// What the first bytes of a MySQL or MariaDB server are. The server speaks first, and a greeting proves that it is
/// well. Client/Server Protocol, chapter "Connection Phase".
enum MySQLFirstPacket: Equatable {
    /// Too few bytes to tell.
    case incomplete
    case greeting
    /// The server refuses; the message is fit for a log line. 1040 too many connections, 1129 host blocked, 1130 host
    /// not allowed, 1053 shutting down.
    case error(code: UInt16, message: String)
    /// Not MySQL, or of a version before 3.21.
    case garbage

    /// Bytes of an ERR packet's body that are waited for.
    private static let errorLimit = 1024

    /// - Parameter bytes: all that the server has sent so far.
    init(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > MySQLPacket.headerSize else {
            self = .incomplete
            return
        }
        let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
        let body = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(MySQLPacket.headerSize))
        switch (body[0], bytes[3]) {
        // Protocol version 10. A version, at least, and a challenge follow.
        case (10, 0) where length > 16 && length <= 0xffff:
            self = .greeting
        // MariaDB numbers an ERR packet that nobody asked for 1, MySQL 0.
        case (MySQLPacket.error, 0...1) where length >= 3 && length <= 0xffff:
            let awaited = min(length, Self.errorLimit)
            self = body.count < awaited ? .incomplete : Self.error(body.prefix(awaited))
        default:
            self = .garbage
        }
    }

    /// - Parameter body: at least 3 bytes: header, code (2), maybe `#` and SQLSTATE (5), the message.
    private static func error(_ body: UnsafeRawBufferPointer.SubSequence) -> MySQLFirstPacket {
        let code = UInt16(body[body.startIndex + 1]) | UInt16(body[body.startIndex + 2]) << 8
        var text = body.dropFirst(3)
        if text.first == UInt8(ascii: "#"), text.count >= 6 { text = text.dropFirst(6) }
        return .error(code: code, message: String(decoding: text, as: UTF8.self).asShortLine)
    }
}
