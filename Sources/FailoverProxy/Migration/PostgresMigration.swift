import FailoverCore

/// Logs a session in on another server and brings its state there, while its client waits.
///
///     login ──▶ restoring ──▶ comparing ──▶ preparing ──▶ proven
///
/// Each step ends with ReadyForQuery, and steps with nothing to do are left out.
///
/// The client gets nothing of all this but the server's parameters.
struct PostgresMigration {
    private enum Phase {
        /// The server has the StartupMessage.
        case login
        /// The server makes the settings.
        case restoring
        /// The server tells what it has made of them.
        case comparing
        /// The server prepares the unnamed statement.
        case preparing
    }

    /// The exchange up to the server's first answer, as for a new client.
    var login: PostgresHandshake
    private let user: String
    private let state: PostgresState
    /// The body of the client's Parse message without its empty name; empty if there is none.
    private let unnamed: [UInt8]
    private var phase = Phase.login
    private var answer = PostgresStateAnswer()
    /// The bytes that do not make a whole message yet.
    private var heard: [UInt8] = []
    private var isProven = false
    /// The server's parameters, in the order of their first mention; chapter "Asynchronous Operations".
    private var parameters: [(name: [UInt8], message: [UInt8])] = []
    /// The body of the server's BackendKeyData.
    private(set) var key: [UInt8] = []

    /// The longest message that is read. Of the longest, a setting, few are longer than a line.
    private static let longest = 65_536
    private static let headSize = 5

    /// - Parameters:
    ///   - startup: the client's StartupMessage.
    ///   - state: what the session has.
    ///   - unnamed: the text and the parameter types of its unnamed statement; empty if it has none.
    ///   - termination: what the route's clients are asked for, where TLS ends at the proxy.
    init(startup: [UInt8], state: PostgresState, unnamed: [UInt8] = [], termination: ClientEncryption?) {
        login = PostgresHandshake(resuming: startup, termination: termination)
        user = PostgresStartup.user(of: startup) ?? ""
        self.state = state
        self.unnamed = unnamed
    }

    /// Whether a statement of the proxy's has made the session read-only.
    var isGuardedByStatement: Bool { login.guardsByStatement }

    mutating func connected(
        guarding: SessionSettings.OpaquePolicy?, byStatement: Bool, encryption: ServerEncryption?
    ) -> HandshakeStep {
        (phase, answer, heard, isProven, parameters, key) = (.login, PostgresStateAnswer(), [], false, [], [])
        return login.connected(guarding: guarding, byStatement: byStatement, encryption: encryption)
    }

    mutating func secured(_ side: Side) -> HandshakeStep { login.secured(side) }
    mutating func backendLost() -> HandshakeStep { login.backendLost() }

    mutating func backendSent(_ bytes: [UInt8]) -> HandshakeStep {
        if isProven { return read(bytes) }
        let step = login.backendSent(bytes)
        guard case .proven(let first) = step else { return step }
        isProven = true
        return read(first)
    }

    /// Reads whole messages.
    private mutating func read(_ bytes: [UInt8]) -> HandshakeStep {
        heard += bytes
        var index = 0
        defer { heard.removeFirst(min(index, heard.count)) }
        while heard.count - index >= Self.headSize {
            let length = PostgresFirstMessage.number(heard, at: index + 1)
            guard (4...Self.longest).contains(length) else {
                return .failed(.unmovable("it sends a message that the proxy does not understand"))
            }
            guard heard.count - index > length else { break }
            let message = heard[index...(index + length)]
            index += 1 + length
            guard let step = take(Array(message)) else { continue }
            // What comes after the last answer would be lost.
            if case .proven = step, index < heard.count { return .failed(.unmovable("it sends more than answers")) }
            return step
        }
        return .awaitBackend(sending: [])
    }

    /// - Parameter message: a whole one.
    /// - Returns: `nil` to go on with the next message.
    private mutating func take(_ message: [UInt8]) -> HandshakeStep? {
        let body = message[Self.headSize...]
        switch message[0] {
        case UInt8(ascii: "S"): keep(parameter: message)
        case UInt8(ascii: "K"): key = Array(body)
        case UInt8(ascii: "E"):
            guard let error = PostgresErrorResponse(body: body) else { return .failed(.malformed("no error")) }
            if let kind = error.refusal { return .failed(.refused(kind, "\(error.sqlState): \(error.message)")) }
            return .failed(.unmovable("\(error.sqlState): \(error.message)"))
        case UInt8(ascii: "R"):
            guard body.elementsEqual([0, 0, 0, 0]) else {
                return .failed(.unmovable("the server asks for a login, which the proxy does not have"))
            }
        case UInt8(ascii: "D"): if phase == .comparing, !answer.take(row: body, user: user) { return Self.unreadable }
        case UInt8(ascii: "Z"): return ready()
        default: break
        }
        return nil
    }

    private static let unreadable = HandshakeStep.failed(.unmovable("it does not tell the session's state"))

    /// The server is ready for the next query.
    private mutating func ready() -> HandshakeStep {
        switch phase {
        case .login: return restore()
        case .restoring: return compare()
        case .comparing:
            let found = answer.state
            guard found.pinned == nil, state.settings.allSatisfy({ found.settings[$0.key] == $0.value }) else {
                return .failed(.unmovable("it does not accept the session's settings"))
            }
            return prepare()
        case .preparing: return .proven(told)
        }
    }

    private mutating func restore() -> HandshakeStep {
        let statements = [login.guardsByStatement ? PostgresGuard.statement : nil, state.restoring].compactMap(\.self)
        guard !statements.isEmpty else { return prepare() }
        phase = .restoring
        return .awaitBackend(sending: PostgresQuery.bytes(statements.joined(separator: "; ")))
    }

    private mutating func compare() -> HandshakeStep {
        guard state.restoring != nil else { return prepare() }
        phase = .comparing
        return .awaitBackend(sending: PostgresQuery.bytes(PostgresState.question))
    }

    private mutating func prepare() -> HandshakeStep {
        guard !unnamed.isEmpty else { return .proven(told) }
        phase = .preparing
        let parse = PostgresQuery.message(UInt8(ascii: "P"), [0] + unnamed)
        return .awaitBackend(sending: parse + PostgresQuery.message(UInt8(ascii: "S"), []))
    }

    private var told: [UInt8] { parameters.flatMap(\.message) }

    private mutating func keep(parameter message: [UInt8]) {
        let name = Array(message[Self.headSize...].prefix { $0 != 0 })
        if let index = parameters.firstIndex(where: { $0.name == name }) {
            parameters[index].message = message
        } else {
            parameters.append((name, message))
        }
    }
}
