/// The read-only guard of a clear-text session. It makes the session's transactions read-only after each login and each
/// reset of the session state, before the client gets the answer.
///
///     forgetting ── the answer to login, COM_CHANGE_USER or COM_RESET_CONNECTION is held ──▶ setting
///         ▲                                                                                     │ OK: the answer goes on
///         └───────────── COM_CHANGE_USER, COM_RESET_CONNECTION ─────────── following ◀──────────┘
///
/// Everything that the client sends after such a command waits, so nothing runs in between. Every state changes to
/// `over` when the reader cannot follow the session. The reader sees only what client and server exchange, and nothing
/// that the guard adds.
struct MySQLGuard {
    enum Phase {
        /// The session is not read-only: the server is logging the client in, or is about to reset the session state.
        case forgetting
        /// The guard's statement is running. Nothing passes.
        case setting
        /// The session is read-only. Everything passes.
        case following
        /// The session can no longer be guarded, or is ending. Everything passes.
        case over
    }

    /// What to send to each side now.
    struct GuardOutput: Equatable {
        /// Pass the received bytes on unchanged, and nothing else.
        var asItIs = false
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        /// The reason why the session must end.
        var refusal: Refusal?
    }

    /// The reason why a session must end.
    struct Refusal: Equatable {
        let message: String
        /// The sequence number of the ERR packet that the client expects; `nil` if it expects none.
        let sequence: UInt8?
        /// The code of the server's error, if that is the reason.
        var code: UInt16?
        /// Whether the server has sent its greeting and still waits for the client's first packet.
        var isBeforeLogin = false
        /// Whether the client continues in TLS and would not understand an ERR packet.
        var isForTLS = false
    }

    var reader = MySQLReader()
    /// Whether the client's TLS ends at the proxy, which then reads what it sends within it.
    var endsTLS = false
    var phase = Phase.forgetting
    /// The client's bytes that have not passed.
    var fromClient: [UInt8] = []
    /// The server's bytes after ``answer`` that have not passed.
    var fromServer: [UInt8] = []
    /// The server's answer, held while the guard's statement runs.
    var answer: [UInt8] = []
    /// Whether the session continues although it could not be followed.
    private(set) var isUntracked = false
    private let refusesOpaque: Bool

    /// The maximum size of a held answer. Real ones have less than 1000 bytes.
    static let answerLimit = 65_536
    /// The guard's statement, which MySQL supports since 5.6 and MariaDB since 10.0.
    ///
    /// - Parameter capabilities: the capabilities that server and client have agreed on.
    static func command(_ capabilities: MySQLCapabilities) -> [UInt8] {
        // No attributes, one set.
        let attributes: [UInt8] = capabilities.contains(.queryAttributes) ? [0, 1] : []
        let body: [UInt8] = [3] + attributes + Array("SET SESSION TRANSACTION READ ONLY".utf8)
        return [UInt8(body.count), 0, 0, 0] + body
    }
    static let whyOpaque = "the session is encrypted or compressed (read_only_opaque: refuse)"
    static let whyLost = "the proxy can no longer follow the session (read_only_opaque: refuse)"

    /// - Parameter refusesOpaque: whether a session that cannot be followed must end.
    init(refusesOpaque: Bool) { self.refusesOpaque = refusesOpaque }

    /// Whether to read the client. It is not read while enough of its bytes wait.
    var wantsClient: Bool { fromClient.count < MySQLPacket.headerSize + MySQLPacket.viewSize }

    /// Whether the session can be ended without loss.
    var isAtBoundary: Bool { phase == .following && reader.isAtBoundary }

    /// Bytes of memory beyond the value itself.
    var heldBytes: Int { reader.heldBytes + fromClient.capacity + fromServer.capacity + answer.capacity }

    /// The server did not answer the guard's statement in time, or closed the connection before.
    ///
    /// - Returns: what to send to the client; `nil` if nothing is held.
    mutating func serverIsSilent(_ message: String) -> GuardOutput? {
        guard phase == .setting else { return nil }
        var passage = GuardOutput()
        // MySQL closes the connection after it has refused a change of the user. In that case the close is expected.
        if answerIsRefusal {
            passage.toClient = answer
            end()
        } else {
            refuse(message, &passage)
        }
        return passage
    }

    /// Whether the held answer is an ERR packet.
    var answerIsRefusal: Bool { answer.dropFirst(MySQLPacket.headerSize).first == MySQLPacket.error }

    /// The session continues without its guard or ends, depending on the policy.
    ///
    /// - Parameter handshake: the packet of the client that the reader could not follow, if it was the client's first
    ///   packet.
    mutating func lost(by handshake: [UInt8]? = nil, _ passage: inout GuardOutput) {
        if refusesOpaque {
            // No more of the client's bytes reach the server.
            passage.toServer = []
            let message = handshake == nil ? Self.whyLost : Self.whyOpaque
            let asked = handshake?.withUnsafeBytes { MySQLPacket($0).map(MySQLCapabilities.init(handshake:)) }
            passage.refusal = Refusal(
                message: message, sequence: handshake?.dropFirst(3).first.map { $0 &+ 1 },
                isBeforeLogin: handshake != nil,
                isForTLS: !endsTLS && asked?.contains(.tls) ?? false)
        } else {
            isUntracked = true
            passage.toServer += fromClient
            passage.toClient += answer + fromServer
        }
        end()
    }

    mutating func refuse(_ message: String, code: UInt16? = nil, _ passage: inout GuardOutput) {
        passage.refusal = Refusal(message: message, sequence: reader.errorSequence, code: code)
        end()
    }

    /// Everything passes from now on.
    mutating func end() {
        phase = .over
        reader.lose()
        (fromClient, fromServer, answer) = ([], [], [])
    }
}
