/// The read-only guard of a clear-text session on a server that does not accept the start-up parameter, such as an old
/// pooler. It makes the session read-only with a statement, after the login and before the client gets the first
/// ReadyForQuery.
///
///     login ── the first ReadyForQuery is held ──▶ setting ── the statement is done: it goes on ──▶ following
///
/// Everything that the client sends after its login waits, so nothing runs in between.
struct PostgresGuard {
    enum Phase {
        /// The server is logging the client in. The bytes of the login pass.
        case login
        /// The guard's statement is running. Its answer is not passed on.
        case setting
        /// The session is read-only. Everything passes.
        case following
    }

    /// What to send to each side now.
    struct GuardOutput: Equatable {
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        /// The reason why the session must end.
        var refusal: String?
    }

    private(set) var phase = Phase.login
    /// Follows the session after the login.
    private(set) var reader = PostgresReader()
    private var fromClient: [UInt8] = []
    private var fromServer: [UInt8] = []
    /// The number of bytes left of the server's current message, and whether they are passed on, as its beginning was.
    private var rest = 0
    private var restPasses = false
    private var ready: [UInt8] = []

    /// The maximum size of a message that is read as a whole.
    private static let longestMessage = 8192
    /// The maximum number of the client's bytes that wait. Above it, the client is not read.
    private static let mostHeld = 70_000
    private static let headSize = 5

    /// The guard's statement.
    static let statement = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    static let query: [UInt8] = {
        let length = UInt8(statement.utf8.count + 5)
        return [UInt8(ascii: "Q"), 0, 0, 0, length] + Array(statement.utf8) + [0]
    }()

    /// Whether to read the client. It is not read while enough of its bytes wait.
    var wantsClient: Bool { fromClient.count < Self.mostHeld }

    /// The client has sent these bytes.
    mutating func clientSent(_ bytes: [UInt8]) -> GuardOutput {
        fromClient += bytes
        var passage = GuardOutput()
        releaseClient(&passage)
        return passage
    }

    /// The server has sent these bytes.
    mutating func serverSent(_ bytes: [UInt8]) -> GuardOutput {
        var passage = GuardOutput()
        fromServer += bytes
        var index = 0
        while passage.refusal == nil, let taken = take(from: index, &passage) { index += taken }
        fromServer = phase == .following ? [] : Array(fromServer[index...])
        releaseClient(&passage)
        return passage
    }

    /// Passes on the answers to authentication requests during the login, and everything after the guard's statement.
    private mutating func releaseClient(_ passage: inout GuardOutput) {
        var passed = 0
        switch phase {
        case .login:
            while let size = Self.message(in: fromClient, from: passed), fromClient[passed] == UInt8(ascii: "p") {
                passed += size
            }
        case .setting: break
        case .following:
            passed = fromClient.count
            fromClient.withUnsafeBytes { reader.clientSent($0) }
        }
        passage.toServer += fromClient[..<passed]
        if passed > 0 { fromClient = Array(fromClient[passed...]) }
    }

    /// Takes the available part of a message, or of the rest of one.
    ///
    /// - Returns: the number of bytes; `nil` if there are too few.
    private mutating func take(from index: Int, _ passage: inout GuardOutput) -> Int? {
        guard index < fromServer.count else { return nil }
        if phase == .following {
            let more = Array(fromServer[index...])
            more.withUnsafeBytes { reader.serverSent($0) }
            passage.toClient += more
            return more.count
        }
        if rest > 0 {
            let count = min(rest, fromServer.count - index)
            rest -= count
            if restPasses { passage.toClient += fromServer[index..<(index + count)] }
            return count
        }
        guard fromServer.count - index >= Self.headSize else { return nil }
        let length = PostgresFirstMessage.number(fromServer, at: index + 1)
        guard length >= 4 else {
            passage.refusal = "the server sent a message that is not PostgreSQL's"
            return nil
        }
        return phase == .login ? takeOfLogin(index, length, &passage) : takeOutcome(index, length, &passage)
    }

    private mutating func takeOfLogin(_ index: Int, _ length: Int, _ passage: inout GuardOutput) -> Int? {
        guard fromServer[index] == UInt8(ascii: "Z") else { return begin(index, length, passes: true, &passage) }
        guard let size = whole(index, length, &passage) else { return nil }
        ready = Array(fromServer[index..<(index + size)])
        phase = .setting
        passage.toServer += Self.query
        return size
    }

    /// Takes the answer to the guard's statement.
    private mutating func takeOutcome(_ index: Int, _ length: Int, _ passage: inout GuardOutput) -> Int? {
        switch fromServer[index] {
        // ParameterStatus, NoticeResponse and NotificationResponse may arrive at any time.
        case UInt8(ascii: "S"), UInt8(ascii: "N"), UInt8(ascii: "A"):
            return begin(index, length, passes: true, &passage)
        case UInt8(ascii: "C"):
            return begin(index, length, passes: false, &passage)
        case UInt8(ascii: "E"):
            guard let size = whole(index, length, &passage) else { return nil }
            let error = PostgresErrorResponse(body: fromServer[(index + Self.headSize)..<(index + size)])
            passage.refusal = error.map { "server answered \($0.sqlState): \($0.message)" } ?? "the server refused"
            return nil
        case UInt8(ascii: "Z"):
            guard let size = whole(index, length, &passage) else { return nil }
            phase = .following
            passage.toClient += ready
            ready.withUnsafeBytes { reader.serverSent($0) }
            ready = []
            return size
        default:
            passage.refusal = "unexpected answer from the server"
            return nil
        }
    }

    /// Takes the available part of a message. The rest is treated in the same way.
    private mutating func begin(_ index: Int, _ length: Int, passes: Bool, _ passage: inout GuardOutput) -> Int {
        let count = min(1 + length, fromServer.count - index)
        rest = 1 + length - count
        restPasses = passes
        if passes { passage.toClient += fromServer[index..<(index + count)] }
        return count
    }

    /// The size of the message; `nil` until it is complete.
    private func whole(_ index: Int, _ length: Int, _ passage: inout GuardOutput) -> Int? {
        guard length <= Self.longestMessage else {
            passage.refusal = "the server's answer is too long"
            return nil
        }
        return fromServer.count - index >= 1 + length ? 1 + length : nil
    }

    /// The size of the message at `index`; `nil` until it is complete.
    private static func message(in bytes: [UInt8], from index: Int) -> Int? {
        guard bytes.count - index >= headSize else { return nil }
        let length = PostgresFirstMessage.number(bytes, at: index + 1)
        return length >= 4 && bytes.count - index >= 1 + length ? 1 + length : nil
    }
}
