/// Bytes of the PostgreSQL protocol, for tests.
enum PostgresWire {
    static let sslRequest: [UInt8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]
    static let gssRequest: [UInt8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]
    static let cancel: [UInt8] = [0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e, 0, 0, 0, 7, 1, 2, 3, 4]
    /// A CancelRequest with another key.
    static func cancel(process: UInt8, secret: UInt8) -> [UInt8] {
        cancel.prefix(8) + [0, 0, 0, process, 0, 0, 0, secret]
    }
    /// The beginning of a TLS handshake, as a client sends it.
    static let hello: [UInt8] = [0x16, 0x03, 0x01, 0x00, 0x05, 1, 0, 0, 1, 5]
    /// The server's answer to it.
    static let serverHello: [UInt8] = [0x16, 0x03, 0x03, 0x00, 0x02, 6, 7]
    /// AuthenticationOk and ReadyForQuery.
    static let welcome = message("R", [0, 0, 0, 0]) + ready("I")

    static func startup(minor: UInt8 = 0) -> [UInt8] {
        let body = [0, 3, 0, minor] + Array("user\u{0}app\u{0}\u{0}".utf8)
        return [0, 0, 0, UInt8(body.count + 4)] + body
    }

    static func message(_ type: Character, _ body: [UInt8] = []) -> [UInt8] {
        let length = body.count + 4
        return Array(String(type).utf8) + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + body
    }

    static func ready(_ status: Character) -> [UInt8] { message("Z", Array(String(status).utf8)) }

    static func query(_ text: String) -> [UInt8] { message("Q", Array("\(text)\u{0}".utf8)) }

    static func error(_ sqlState: String, _ text: String = "words") -> [UInt8] {
        message("E", Array("SFATAL\u{0}VFATAL\u{0}C\(sqlState)\u{0}M\(text)\u{0}\u{0}".utf8))
    }
}
