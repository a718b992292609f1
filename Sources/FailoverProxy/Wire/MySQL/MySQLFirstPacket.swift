import FailoverCore

/// The first bytes of a MySQL or MariaDB server. The server sends first, and a greeting proves that it is healthy.
/// Client/Server Protocol, chapter "Connection Phase".
enum MySQLFirstPacket: Equatable {
    /// Too few bytes to decide.
    case incomplete
    case greeting
    /// The server refuses the client. The message is safe to log. Codes: 1040 too many connections, 1129 host blocked,
    /// 1130 host not allowed, 1053 shutting down.
    case error(code: UInt16, message: String)
    /// Not MySQL, or of a version before 3.21.
    case malformed

    /// The number of bytes of an ERR packet's body to wait for.
    private static let errorLimit = 1024

    /// - Parameter bytes: all bytes that the server has sent.
    init(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > MySQLPacket.headerSize else {
            self = .incomplete
            return
        }
        let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
        let body = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(MySQLPacket.headerSize))
        switch (body[0], bytes[3]) {
        // Protocol version 10. At least a server version and a challenge follow.
        case (10, 0) where length > 16 && length <= 0xffff:
            self = .greeting
        // An ERR packet without a request has sequence number 1 in MariaDB and 0 in MySQL.
        case (MySQLPacket.error, 0...1) where length >= 3 && length <= 0xffff:
            let awaited = min(length, Self.errorLimit)
            self = body.count < awaited ? .incomplete : Self.error(body.prefix(awaited))
        default:
            self = .malformed
        }
    }

    /// - Parameter body: at least 3 bytes: header, code (2), optionally `#` and SQLSTATE (5), the message.
    private static func error(_ body: UnsafeRawBufferPointer.SubSequence) -> MySQLFirstPacket {
        let code = UInt16(body[body.startIndex + 1]) | UInt16(body[body.startIndex + 2]) << 8
        var text = body.dropFirst(3)
        if text.first == UInt8(ascii: "#"), text.count >= 6 { text = text.dropFirst(6) }
        return .error(code: code, message: String(decoding: text, as: UTF8.self).asOneLine(atMost: 200))
    }
}

/// An ERR packet that the proxy sends instead of a server. Client/Server Protocol, chapter "ERR_Packet".
struct MySQLErrorPacket {
    let code: UInt16
    /// Five characters, for example `08S01` for a lost connection. `nil` if the packet is sent instead of a greeting,
    /// because the client does not expect a SQLSTATE yet.
    let sqlState: String?
    let message: String
    /// The sequence number that the client expects: 0 if the packet is sent instead of a greeting, otherwise
    /// ``MySQLReader/errorSequence``.
    let sequence: UInt8

    /// The maximum size of a message, as in servers (`MYSQL_ERRMSG_SIZE`).
    private static let messageLimit = 512

    var bytes: [UInt8] {
        var body: [UInt8] = [MySQLPacket.error, UInt8(truncatingIfNeeded: code), UInt8(truncatingIfNeeded: code >> 8)]
        if let sqlState {
            body.append(UInt8(ascii: "#"))
            // Clients always read five bytes. HY000 is "general error".
            body += sqlState.utf8.count == 5 ? Array(sqlState.utf8) : Array("HY000".utf8)
        }
        body += shortMessage.utf8
        // The body is far shorter than 64 KiB.
        return [UInt8(truncatingIfNeeded: body.count), UInt8(truncatingIfNeeded: body.count >> 8), 0, sequence] + body
    }

    /// The message, cut to the whole characters that fit.
    private var shortMessage: Substring {
        var short = message[...]
        while short.utf8.count > Self.messageLimit { short.removeLast() }
        return short
    }
}
