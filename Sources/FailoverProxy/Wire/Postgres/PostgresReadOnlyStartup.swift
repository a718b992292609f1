/// The StartupMessage that a failover alias gets: the client's, with an additional parameter that makes the session's
/// transactions read-only by default. The server applies `options` first and then the parameters in order. So the last
/// parameter takes effect, and `RESET` returns to it; chapter "Message Formats" and ProcessStartupPacket.
enum PostgresReadOnlyStartup {
    private static let parameter = Array("default_transaction_read_only\u{0}on\u{0}".utf8)
    /// Length and protocol version.
    private static let headSize = 8

    /// - Parameter bytes: the StartupMessage and any bytes that the client sent after it.
    /// - Returns: `nil` if the parameter cannot be added: the message would be too long, or is not of protocol 3.
    static func bytes(_ bytes: [UInt8]) -> [UInt8]? {
        guard case .startup(let length) = PostgresFirstMessage(bytes), bytes[4] == 0, bytes[5] == 3,
            length + parameter.count <= PostgresFirstMessage.longest,
            endsItsParameters(bytes[headSize..<length])
        else { return nil }
        let longer = UInt32(length + parameter.count)
        return (0..<4).map { UInt8(truncatingIfNeeded: longer >> (24 - 8 * $0)) } + bytes[4..<(length - 1)] + parameter
            + [0] + bytes[length...]
    }

    /// Whether a server has answered that it does not know the parameter, as poolers do.
    ///
    /// - Parameter answer: all bytes of the server.
    static func isRefused(by answer: [UInt8]) -> Bool {
        guard answer.first == UInt8(ascii: "E"), answer.count > 5 else { return false }
        let length = answer[1...4].reduce(0) { $0 << 8 | Int($1) }
        guard length > 4, length < answer.count, let error = PostgresErrorResponse(body: answer[5...length]) else {
            return false
        }
        // protocol_violation, feature_not_supported
        return ["08P01", "0A000"].contains(error.sqlState) && error.message.contains("default_transaction_read_only")
    }

    /// Whether the body is a list of name and value pairs, ended by an empty name in its last byte.
    private static func endsItsParameters(_ body: ArraySlice<UInt8>) -> Bool {
        var rest = body
        while let first = rest.first, first != 0 {
            for _ in 0..<2 {
                guard let end = rest.firstIndex(of: 0) else { return false }
                rest = rest[(end + 1)...]
            }
        }
        return rest.count == 1
    }
}
