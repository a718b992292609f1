/// A login that a server refuses, by which the proxy leaves one that has greeted when it must not let the client log in.
///
/// A server counts who goes between greeting and login against the host, and blocks it in the end, the proxy with all
/// its clients (`max_connect_errors`); who is refused is not counted.
struct MySQLRefusedLogin {
    enum Step: Equatable {
        case wait
        case send([UInt8])
        case leave
    }

    /// In the server's log, if it writes of refused logins.
    static let user = "failover-refused"
    private static let quit: [UInt8] = [1, 0, 0, 0, 1]
    /// Packets of the server that are answered. It has no more than two questions to ask.
    private static let mostAnswers = 4

    private var server = MySQLPacketStream()
    private var answers = 0

    /// The client's first packet: `Protocol::HandshakeResponse41` without a password.
    static let handshake: [UInt8] = {
        // Protocol 4.1, authentication of 4.1, plugins.
        let capabilities: [UInt8] = [0, 0x82, 0x08, 0]
        let body =
            capabilities + [0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 23) + Array("\(user)\u{0}\u{0}".utf8)
            + Array("mysql_native_password\u{0}".utf8)
        return [UInt8(body.count), 0, 0, 1] + body
    }()

    /// The server's next bytes.
    mutating func serverSent(_ bytes: UnsafeRawBufferPointer) -> Step {
        var (bytes, step) = (bytes, Step.wait)
        while step != .leave, let event = server.next(&bytes) { step = answer(event) }
        return step
    }

    private mutating func answer(_ event: MySQLPacketStream.Event) -> Step {
        guard case .message(let packet) = event, answers < Self.mostAnswers else { return .leave }
        switch packet.header {
        case MySQLPacket.error: return .leave
        // A server that lets everybody in.
        case MySQLPacket.ok: return .send(Self.quit)
        default:
            answers += 1
            return .send([0, 0, 0, packet.sequence &+ 1])
        }
    }
}
