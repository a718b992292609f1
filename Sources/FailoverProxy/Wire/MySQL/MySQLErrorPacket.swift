/// An ERR packet that the proxy sends in a server's place. Client/Server Protocol, chapter "ERR_Packet".
struct MySQLErrorPacket {
    let code: UInt16
    /// Five characters, `08S01` for a lost connection; `nil` in place of a greeting, when the client cannot know yet
    /// that there is one.
    let sqlState: String?
    let message: String
    /// The number that the client awaits: 0 in place of a greeting, else ``MySQLReader/errorSequence``.
    let sequence: UInt8

    /// Bytes of a message, as many as servers send (`MYSQL_ERRMSG_SIZE`).
    private static let messageLimit = 512

    var bytes: [UInt8] {
        var body: [UInt8] = [MySQLPacket.error, UInt8(truncatingIfNeeded: code), UInt8(truncatingIfNeeded: code >> 8)]
        if let sqlState {
            body.append(UInt8(ascii: "#"))
            // A client takes five bytes whatever they are. HY000 is "general error".
            body += sqlState.utf8.count == 5 ? Array(sqlState.utf8) : Array("HY000".utf8)
        }
        body += shortMessage.utf8
        // The body is far shorter than 64 KiB.
        return [UInt8(truncatingIfNeeded: body.count), UInt8(truncatingIfNeeded: body.count >> 8), 0, sequence] + body
    }

    /// As many whole characters as fit.
    private var shortMessage: Substring {
        var short = message[...]
        while short.utf8.count > Self.messageLimit { short.removeLast() }
        return short
    }
}
