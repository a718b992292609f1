/// What a session says, as far as it can be read: nothing of an encrypted or compressed one, or of an unknown protocol.
enum SessionStream {
    case opaque
    case postgres(PostgresReader)
    case mysql(MySQLReader)
    /// What passes is not always what was sent.
    case guarded(GuardedMySQL)

    /// Bytes that one side sent.
    mutating func sent(_ bytes: UnsafeRawBufferPointer, by side: Side) {
        switch self {
        case .opaque, .guarded: return
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
        case .opaque: false
        case .postgres(let reader): reader.isAtBoundary
        case .mysql(let reader): reader.isAtBoundary
        case .guarded(let guarded): guarded.state.isAtBoundary
        }
    }

    /// Whether the server has said that it shuts down.
    var sawShutdown: Bool {
        switch self {
        case .opaque: false
        case .postgres(let reader): reader.sawShutdown
        case .mysql(let reader): reader.sawShutdown
        case .guarded(let guarded): guarded.state.reader.sawShutdown
        }
    }

    /// Whether the client waits for an answer; `nil` where only who spoke last tells.
    var awaitsServer: Bool? {
        switch self {
        case .opaque: nil
        case .postgres(let reader): reader.awaitsServer
        case .mysql(let reader): reader.awaitsServer
        case .guarded(let guarded): guarded.state.reader.awaitsServer
        }
    }

    /// The key that cancels the session's queries; `nil` while the server may still tell it.
    var cancelKey: SessionKey? {
        switch self {
        case .postgres(let reader): reader.cancelKey
        case .opaque, .mysql, .guarded: .unknown
        }
    }

    /// Last words to the client, where the protocol has a place for them now: PostgreSQL's between two messages; MySQL's
    /// in place of an answer that is due and, when it is not to move but to end, where none is due.
    func lastWords(_ message: String, as farewell: Farewell) -> [UInt8]? {
        switch self {
        case .opaque: nil
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
