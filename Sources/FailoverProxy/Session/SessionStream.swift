/// What a session says, as far as it can be read: nothing of an encrypted or compressed one, or of an unknown protocol.
enum SessionStream {
    case opaque
    case postgres(PostgresReader)
    case mysql(MySQLReader)
    /// What passes is not always what was sent.
    case guarded(GuardedMySQL)
    case guardedPostgres(GuardedPostgres)

    /// Bytes that one side sent.
    mutating func sent(_ bytes: UnsafeRawBufferPointer, by side: Side) {
        switch self {
        case .opaque, .guarded, .guardedPostgres: return
        case .postgres(var reader):
            // Gives the only reference to the reader away, so that it is changed in place.
            self = .opaque
            if side == .client { reader.clientSent(bytes) } else { reader.serverSent(bytes) }
            if reader.isReadable { self = .postgres(reader) }
        case .mysql(var reader):
            self = .opaque
            if side == .client { reader.clientSent(bytes) } else { reader.serverSent(bytes) }
            if reader.isReadable { self = .mysql(reader) }
        }
    }

    var isReadable: Bool { if case .opaque = self { false } else { true } }

    /// Whether the session can be ended without cutting anything; never of one that can't be read.
    var isAtBoundary: Bool {
        switch self {
        // One that is not followed yet is not logged in.
        case .opaque, .guardedPostgres: false
        case .postgres(let reader): reader.isAtBoundary
        case .mysql(let reader): reader.isAtBoundary
        case .guarded(let guarded): guarded.state.isAtBoundary
        }
    }

    /// What the server has said of itself.
    var heard: ServerWords {
        switch self {
        case .opaque, .guardedPostgres: []
        case .postgres(let reader): reader.heard
        case .mysql(let reader): reader.heard
        case .guarded(let guarded): guarded.state.reader.heard
        }
    }

    /// Whether the server owes an answer to a whole request of a client that it has let in; false in doubt.
    var owesAnswer: Bool {
        switch self {
        case .opaque, .guardedPostgres: false
        case .postgres(let reader): reader.owesAnswer
        case .mysql(let reader): reader.owesAnswer
        case .guarded(let guarded): guarded.state.reader.owesAnswer
        }
    }

    /// Whether the client waits for an answer; `nil` where only who spoke last tells.
    var awaitsServer: Bool? {
        switch self {
        case .opaque, .guardedPostgres: nil
        case .postgres(let reader): reader.awaitsServer
        case .mysql(let reader): reader.awaitsServer
        case .guarded(let guarded): guarded.state.reader.awaitsServer
        }
    }

    /// The key that cancels the session's queries; `nil` while the server may still tell it.
    var cancelKey: SessionKey? {
        switch self {
        case .postgres(let reader): reader.cancelKey
        case .opaque, .mysql, .guarded, .guardedPostgres: .unknown
        }
    }

    /// Last words to the client, where the protocol has a place for them now: PostgreSQL's between two messages; MySQL's
    /// in place of an answer that is due and, when it is not to move but to end, where none is due.
    func lastWords(_ message: String, as farewell: Farewell) -> [UInt8]? {
        switch self {
        case .opaque, .guardedPostgres: nil
        case .postgres(let reader): reader.mayTellClient ? farewell.postgresMessage(message) : nil
        case .mysql(let reader): reader.lastWords(message, as: farewell)
        case .guarded(let guarded): guarded.state.reader.lastWords(message, as: farewell)
        }
    }
}

extension MySQLReader {
    fileprivate func lastWords(_ message: String, as farewell: Farewell) -> [UInt8]? {
        let sequence = errorSequence ?? (farewell == .moving ? nil : unaskedSequence)
        return sequence.map { farewell.mysqlPacket(message, sequence: $0) }
    }
}

/// The guard of one session; not in the session itself, whose size it would be to all the others.
final class GuardedMySQL {
    var state: MySQLGuard
    /// Whether the time for the server's answer runs.
    var isAwaited = false

    init(opaque: SessionSettings.OpaquePolicy) { state = MySQLGuard(refusesOpaque: opaque == .refuse) }
}
