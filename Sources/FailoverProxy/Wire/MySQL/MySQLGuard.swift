/// Keeps a session in clear from writing by accident: has the server told that its transactions are read only, wherever
/// it does not know or forgets, and before the client learns that it is its turn.
///
///     forgetting ── the answer to login, COM_CHANGE_USER or COM_RESET_CONNECTION is held ──▶ setting
///         ▲                                                                                     │ OK: the answer goes on
///         └───────────── COM_CHANGE_USER, COM_RESET_CONNECTION ─────────── following ◀──────────┘
///
/// What the client sends behind such a command waits, so nothing runs in between. From any state it goes to `over` with
/// what the reader cannot follow. The reader hears what client and server hear of each other, and nothing of our own.
struct MySQLGuard {
    enum Phase {
        /// The server does not know yet: it logs the client in, or is about to forget what it knew.
        case forgetting
        /// The server is being told; nothing passes.
        case setting
        /// The server knows, and all passes.
        case following
        /// The session cannot be guarded any more, or is at its end, and all passes.
        case over
    }

    /// What goes where now.
    struct Passage: Equatable {
        /// What was sent goes on as it is, and nothing else.
        var asItIs = false
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        /// Why the session must not go on.
        var refusal: Refusal?
    }

    /// Why a session must not go on.
    struct Refusal: Equatable {
        let words: String
        /// The number of the ERR packet that the client awaits; `nil` if it awaits none.
        let sequence: UInt8?
        /// Of the server's error that it comes from.
        var code: UInt16?
        /// Whether the server has greeted and still awaits the client's first packet.
        var isBeforeLogin = false
        /// Whether the client goes on in TLS, and would not know an ERR packet.
        var isForTLS = false
    }

    var reader = MySQLReader()
    var phase = Phase.forgetting
    /// Of the client, not yet passed on.
    var fromClient: [UInt8] = []
    /// Of the server, not yet passed on, behind ``answer``.
    var fromServer: [UInt8] = []
    /// The server's answer that is held while it is told.
    var answer: [UInt8] = []
    /// Whether the session goes on though it could not be followed.
    private(set) var isLost = false
    private let refusesOpaque: Bool

    /// Bytes of an answer that is held. Real ones have less than 1000.
    static let answerLimit = 65_536
    /// What the server is told. MySQL knows it since 5.6, MariaDB since 10.0.
    ///
    /// - Parameter capabilities: those that server and client have agreed on.
    static func command(_ capabilities: MySQLCapabilities) -> [UInt8] {
        // No attributes, in one set.
        let attributes: [UInt8] = capabilities.contains(.queryAttributes) ? [0, 1] : []
        let body: [UInt8] = [3] + attributes + Array("SET SESSION TRANSACTION READ ONLY".utf8)
        return [UInt8(body.count), 0, 0, 0] + body
    }
    static let whyOpaque = "an encrypted or compressed session can't be kept from writing (read_only_opaque: refuse)"
    static let whyLost = "the session can't be followed any more, nor kept from writing (read_only_opaque: refuse)"

    /// - Parameter refusesOpaque: whether a session that can't be followed must not go on.
    init(refusesOpaque: Bool) { self.refusesOpaque = refusesOpaque }

    /// Whether the client is to be read: not while enough of it waits.
    var wantsClient: Bool { fromClient.count < MySQLPacket.headerSize + MySQLPacket.viewSize }

    /// Whether the session can be ended without anybody losing anything.
    var isAtBoundary: Bool { phase == .following && reader.isAtBoundary }

    /// Bytes of memory beyond the value itself.
    var heldBytes: Int { reader.heldBytes + fromClient.capacity + fromServer.capacity + answer.capacity }

    /// The server did not say in time, or before it closed, whether it keeps to reading.
    ///
    /// - Returns: what the client is still to hear; `nil` if nothing is held.
    mutating func serverIsSilent(_ words: String) -> Passage? {
        guard phase == .setting else { return nil }
        var passage = Passage()
        // MySQL closes after it has refused a change of the user, which is no news then.
        if answerIsRefusal {
            passage.toClient = answer
            end()
        } else {
            refuse(words, &passage)
        }
        return passage
    }

    /// Whether the answer that is held is an ERR packet.
    var answerIsRefusal: Bool { answer.dropFirst(MySQLPacket.headerSize).first == MySQLPacket.error }

    /// The session goes on without its guard, or not at all.
    ///
    /// - Parameter handshake: the client's packet by which it was lost, if that was its first.
    mutating func lost(by handshake: [UInt8]? = nil, _ passage: inout Passage) {
        if refusesOpaque {
            // Nothing more of it reaches the server.
            passage.toServer = []
            let words = handshake == nil ? Self.whyLost : Self.whyOpaque
            let asked = handshake?.withUnsafeBytes { MySQLPacket($0).map(MySQLCapabilities.init(handshake:)) }
            passage.refusal = Refusal(
                words: words, sequence: handshake?.dropFirst(3).first.map { $0 &+ 1 }, isBeforeLogin: handshake != nil,
                isForTLS: asked?.contains(.tls) ?? false)
        } else {
            isLost = true
            passage.toServer += fromClient
            passage.toClient += answer + fromServer
        }
        end()
    }

    mutating func refuse(_ words: String, code: UInt16? = nil, _ passage: inout Passage) {
        passage.refusal = Refusal(words: words, sequence: reader.errorSequence, code: code)
        end()
    }

    /// All passes from now on.
    mutating func end() {
        phase = .over
        reader.lose()
        (fromClient, fromServer, answer) = ([], [], [])
    }
}
