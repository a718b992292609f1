/// A login that the server refuses. With it, the proxy can end a connection at any stage of an incomplete login.
///
/// A server counts each connection that ends between greeting and login as an error of the host. After
/// `max_connect_errors` errors it blocks the host, which is the proxy with all its clients. Refused logins are not
/// counted.
struct MySQLRefusedLogin {
    enum Step: Equatable {
        case wait
        case send([UInt8])
        case leave
    }

    /// The user name. It appears in the server's log if the server logs refused logins.
    static let user = "failover-refused"
    private static let quit: [UInt8] = [1, 0, 0, 0, 1]
    /// The maximum number of server packets to answer. A server sends at most two that need an answer.
    private static let mostAnswers = 4

    private var stage: MySQLLogin.Stage
    private var server: MySQLPacketStream
    private var answers = 0
    /// The sequence number of the client's first packet.
    private let firstSequence: UInt8

    /// - Parameters:
    ///   - stage: the stage of the login.
    ///   - server: the stream of the server's packets, which may be in the middle of one.
    ///   - inTLS: whether a request for TLS was the client's first packet.
    init(
        at stage: MySQLLogin.Stage = .greeted, server: MySQLPacketStream = MySQLPacketStream(), inTLS: Bool = false
    ) {
        self.stage = stage
        self.server = server
        firstSequence = inTLS ? 2 : 1
    }

    /// The client's first packet, or its first one within TLS: `Protocol::HandshakeResponse41` without a password.
    static func handshake(sequence: UInt8 = 1) -> [UInt8] {
        // Protocol 4.1, authentication of 4.1, plugins.
        let capabilities: [UInt8] = [0, 0x82, 0x08, 0]
        let body =
            capabilities + [0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 23) + Array("\(user)\u{0}\u{0}".utf8)
            + Array("mysql_native_password\u{0}".utf8)
        return [UInt8(body.count), 0, 0, sequence] + body
    }

    /// The first step.
    mutating func start() -> Step {
        switch stage {
        case .greeting, .server: return .wait
        case .greeted:
            stage = .server
            return .send(Self.handshake(sequence: firstSequence))
        case .client(let sequence, let size):
            stage = .server
            return .send(Self.answer(sequence, size))
        case .over: return .leave
        }
    }

    /// The server has sent these bytes.
    mutating func serverSent(_ bytes: UnsafeRawBufferPointer) -> Step {
        var (bytes, step) = (bytes, Step.wait)
        while step != .leave, let event = server.next(&bytes) { step = answer(event) }
        return step
    }

    private mutating func answer(_ event: MySQLPacketStream.Event) -> Step {
        guard case .message(let packet) = event, answers < Self.mostAnswers else { return .leave }
        // This server accepts any login.
        if stage == .server, packet.header == MySQLPacket.ok { return .send(Self.quit) }
        answers += 1
        stage = MySQLLogin.stage(after: stage, packet)
        return start()
    }

    private static func answer(_ sequence: UInt8, _ size: Int) -> [UInt8] {
        [UInt8(size), 0, 0, sequence] + [UInt8](repeating: 0, count: size)
    }
}
