import FailoverCore

/// What the proxy keeps of a PostgreSQL session that may move to another server: how it began, and whether anything
/// that went by may have changed it since.
final class PostgresRecord {
    /// The client's StartupMessage.
    let startup: [UInt8]
    /// The body of the first server's BackendKeyData: what the client cancels with.
    private(set) var key: [UInt8] = []
    /// What the server said the last time it was asked. At first a session has no state.
    var state = PostgresState()
    /// Whether the server has asked for more than the StartupMessage.
    private(set) var needsLogin = false
    private var restsUntil: UInt64 = 0
    private var scanner = StatementScanner()
    private var reading = Reading.nothing
    /// What has gone by since the server was asked, at most.
    private var effect = StatementEffect.none
    /// What executing the unnamed statement, or one of the named ones, may do.
    private var effectOfUnnamed = StatementEffect.none
    private var effectOfNamed = StatementEffect.none
    /// The client's message with the unnamed statement, which it may use again and again; empty if there is none.
    private(set) var unnamed: [UInt8] = []
    /// Whether that message is too long to be kept.
    private var isUnnamedTooLong = false
    /// Whether the session was made read-only by a statement of the proxy's.
    var isGuardedByStatement = false

    /// Which part of the client's current message is next.
    private enum Reading {
        case nothing
        case query
        case statementName(isNamed: Bool)
        case statement(isNamed: Bool)
        /// After the text of the unnamed statement.
        case parameterTypes
    }

    /// The longest key of protocol 3.2, with its process ID.
    private static let longestKey = 4 + 256
    /// The longest unnamed statement that is kept.
    private static let longestUnnamed = 64 * 1024

    init(startup: [UInt8]) { self.startup = startup }

    /// The server has told the state at this boundary.
    func learn(_ state: PostgresState) {
        self.state = state
        // The setting of the guard is not the client's.
        if isGuardedByStatement { self.state.settings["default_transaction_read_only"] = nil }
        if effect == .told { effect = .none }
    }

    /// Whether the session's state is known: nothing has gone by that may have changed it since the server was asked.
    var isKnown: Bool { effect == .none }

    /// Whether the session's server could tell its state.
    var isUntold: Bool { effect == .told }

    /// The server has sent the beginning of its BackendKeyData.
    func keep(key body: UnsafeRawBufferPointer) {
        guard key.isEmpty, (8...Self.longestKey).contains(body.count) else { return }
        key = Array(body)
    }

    /// The key has arrived in pieces, so it is not known.
    func dropKey() { key = [] }

    /// The server has sent an authentication message.
    func serverAsked(_ body: UnsafeRawBufferPointer) {
        if !body.elementsEqual([0, 0, 0, 0]) { needsLogin = true }
    }

    /// The session does not try to migrate before this time of the loop's clock.
    func rest(until time: UInt64) { restsUntil = time }

    func isResting(at now: UInt64) -> Bool { now < restsUntil }

    /// Why the session cannot move to another server; `nil` if it can.
    ///
    /// - Parameter isAsked: whether its server is asked for an unknown state before.
    func pinned(isAsked: Bool) -> PinnedReason? {
        if needsLogin { return .login }
        if isUnnamedTooLong { return .preparedStatements }
        switch effect {
        case .none: return state.pinned
        case .told: return isAsked ? nil : .unknown
        case .hidden: return .unknown
        }
    }

    /// The client begins a message.
    func begin(_ type: UInt8, _ body: UnsafeRawBufferPointer) {
        finish()
        switch type {
        case UInt8(ascii: "Q"):
            scanner = StatementScanner()
            // A server forgets the unnamed statement.
            (unnamed, isUnnamedTooLong) = ([], false)
            reading = .query
        case UInt8(ascii: "P"): reading = .statementName(isNamed: false)
        case UInt8(ascii: "B"): raise(max(effectOfUnnamed, effectOfNamed))
        // FunctionCall
        case UInt8(ascii: "F"): raise(.hidden)
        default: break
        }
        read(body)
    }

    /// The client continues its message.
    func read(_ bytes: UnsafeRawBufferPointer) {
        switch reading {
        case .nothing: break
        case .query: readText(bytes)
        case .statement(let isNamed):
            if !isNamed { keepUnnamed(bytes) }
            readText(bytes)
        case .parameterTypes: keepUnnamed(bytes)
        case .statementName(let isNamed):
            guard let end = bytes.firstIndex(of: 0) else {
                return reading = .statementName(isNamed: isNamed || !bytes.isEmpty)
            }
            beginStatement(isNamed: isNamed || end > bytes.startIndex)
            read(UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...]))
        }
    }

    private func beginStatement(isNamed: Bool) {
        scanner = StatementScanner()
        reading = .statement(isNamed: isNamed)
        if !isNamed { (unnamed, isUnnamedTooLong) = ([], false) }
    }

    private func keepUnnamed(_ bytes: UnsafeRawBufferPointer) {
        guard !isUnnamedTooLong else { return }
        guard unnamed.count + bytes.count <= Self.longestUnnamed else {
            (unnamed, isUnnamedTooLong) = ([], true)
            return
        }
        unnamed += bytes
    }

    private func readText(_ bytes: UnsafeRawBufferPointer) {
        guard let end = bytes.firstIndex(of: 0) else { return scanner.read(bytes) }
        scanner.read(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
        finish()
    }

    private func raise(_ other: StatementEffect) { effect = max(effect, other) }

    /// A text has ended.
    private func finish() {
        let ended = reading
        reading = .nothing
        switch ended {
        case .nothing, .statementName, .parameterTypes: return
        case .query:
            scanner.end()
            raise(scanner.effect)
        case .statement(isNamed: false):
            scanner.end()
            effectOfUnnamed = scanner.effect
            reading = .parameterTypes
        case .statement(isNamed: true):
            scanner.end()
            effectOfNamed = max(effectOfNamed, scanner.effect)
            // The statement itself is a part of the session's state.
            raise(.told)
        }
    }
}
