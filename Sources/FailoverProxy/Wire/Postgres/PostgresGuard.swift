/// Keeps a session in clear from writing by accident where the server does not take a parameter at its start, as old poolers
/// do not: has it told by a statement, after the login and before the client learns that it is its turn.
///
///     login ── the first ReadyForQuery is held ──▶ setting ── the statement is done: it goes on ──▶ following
///
/// What the client sends behind its login waits, so nothing runs in between.
struct PostgresGuard {
    enum Phase {
        /// The server logs the client in; what belongs to that passes.
        case login
        /// The server is being told; what it says of that goes no further.
        case setting
        /// The server knows, and all passes.
        case following
    }

    /// What goes where now.
    struct Passage: Equatable {
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        /// Why the session must not go on.
        var refusal: String?
    }

    private(set) var phase = Phase.login
    /// Knows where the session stands, once it is followed.
    private(set) var reader = PostgresReader()
    private var fromClient: [UInt8] = []
    private var fromServer: [UInt8] = []
    /// Bytes of the server's present message that are still to come and go where its beginning went.
    private var rest = 0
    private var restPasses = false
    private var ready: [UInt8] = []

    /// Bytes of a message that is waited for as a whole.
    private static let longestMessage = 8192
    /// Bytes of the client that may wait; past them it is read no further.
    private static let mostHeld = 70_000
    private static let headSize = 5

    /// What the server is told.
    static let statement = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    static let query: [UInt8] = {
        let length = UInt8(statement.utf8.count + 5)
        return [UInt8(ascii: "Q"), 0, 0, 0, length] + Array(statement.utf8) + [0]
    }()

    /// Whether the client is to be read: not while enough of it waits.
    var wantsClient: Bool { fromClient.count < Self.mostHeld }

    /// The client's next bytes.
    mutating func clientSent(_ bytes: [UInt8]) -> Passage {
        fromClient += bytes
        var passage = Passage()
        releaseClient(&passage)
        return passage
    }

    /// The server's next bytes.
    mutating func serverSent(_ bytes: [UInt8]) -> Passage {
        var passage = Passage()
        fromServer += bytes
        var index = 0
        while passage.refusal == nil, let taken = take(from: index, &passage) { index += taken }
        fromServer = phase == .following ? [] : Array(fromServer[index...])
        releaseClient(&passage)
        return passage
    }

    /// Passes on answers to the server's questions while it logs the client in, and all once it has been told.
    private mutating func releaseClient(_ passage: inout Passage) {
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

    /// Takes what there is of a message, or of the rest of one.
    ///
    /// - Returns: how many bytes; `nil` if there are too few.
    private mutating func take(from index: Int, _ passage: inout Passage) -> Int? {
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
            passage.refusal = "what it said is none of PostgreSQL's messages"
            return nil
        }
        return phase == .login ? takeOfLogin(index, length, &passage) : takeOutcome(index, length, &passage)
    }

    private mutating func takeOfLogin(_ index: Int, _ length: Int, _ passage: inout Passage) -> Int? {
        guard fromServer[index] == UInt8(ascii: "Z") else { return begin(index, length, passes: true, &passage) }
        guard let size = whole(index, length, &passage) else { return nil }
        ready = Array(fromServer[index..<(index + size)])
        phase = .setting
        passage.toServer += Self.query
        return size
    }

    /// What the server says to having been told.
    private mutating func takeOutcome(_ index: Int, _ length: Int, _ passage: inout Passage) -> Int? {
        switch fromServer[index] {
        // ParameterStatus, NoticeResponse, NotificationResponse: they may come at any time.
        case UInt8(ascii: "S"), UInt8(ascii: "N"), UInt8(ascii: "A"):
            return begin(index, length, passes: true, &passage)
        case UInt8(ascii: "C"):
            return begin(index, length, passes: false, &passage)
        case UInt8(ascii: "E"):
            guard let size = whole(index, length, &passage) else { return nil }
            let error = PostgresErrorResponse(body: fromServer[(index + Self.headSize)..<(index + size)])
            passage.refusal = error.map { "it said \($0.sqlState): \($0.message)" } ?? "it refused"
            return nil
        case UInt8(ascii: "Z"):
            guard let size = whole(index, length, &passage) else { return nil }
            phase = .following
            passage.toClient += ready
            ready.withUnsafeBytes { reader.serverSent($0) }
            ready = []
            return size
        default:
            passage.refusal = "what it said was no answer"
            return nil
        }
    }

    /// Takes what there is of a message whose rest goes the same way.
    private mutating func begin(_ index: Int, _ length: Int, passes: Bool, _ passage: inout Passage) -> Int {
        let count = min(1 + length, fromServer.count - index)
        rest = 1 + length - count
        restPasses = passes
        if passes { passage.toClient += fromServer[index..<(index + count)] }
        return count
    }

    /// The size of the message, once all of it is there.
    private func whole(_ index: Int, _ length: Int, _ passage: inout Passage) -> Int? {
        guard length <= Self.longestMessage else {
            passage.refusal = "its answer is too long"
            return nil
        }
        return fromServer.count - index >= 1 + length ? 1 + length : nil
    }

    /// The size of the message that begins there, once all of it has come.
    private static func message(in bytes: [UInt8], from index: Int) -> Int? {
        guard bytes.count - index >= headSize else { return nil }
        let length = PostgresFirstMessage.number(bytes, at: index + 1)
        return length >= 4 && bytes.count - index >= 1 + length ? 1 + length : nil
    }
}
