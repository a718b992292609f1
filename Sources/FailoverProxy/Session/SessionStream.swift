import FailoverCore

/// The traffic of a session, as far as it can be read. The traffic of an encrypted or compressed session, or of an
/// unknown protocol, is opaque.
enum SessionStream {
    case opaque
    case postgres(PostgresReader)
    case mysql(MySQLReader)
    /// The guard may hold or replace bytes.
    case guarded(GuardedMySQL)
    case guardedPostgres(GuardedPostgres)

    /// Follows bytes that one side sent.
    ///
    /// - Returns: what the server reported about its own state for the first time in these bytes.
    mutating func sent(_ bytes: UnsafeRawBufferPointer, by side: Side) -> ServerSigns {
        switch self {
        case .opaque, .guarded, .guardedPostgres: return []
        case .postgres(var reader):
            // Moves the reader out of `self`, so that it is changed without a copy.
            self = .opaque
            let heard = reader.heard
            if side == .client { reader.clientSent(bytes) } else { reader.serverSent(bytes) }
            guard reader.isReadable else { return [] }
            self = .postgres(reader)
            return reader.heard.subtracting(heard)
        case .mysql(var reader):
            self = .opaque
            let heard = reader.heard
            if side == .client { reader.clientSent(bytes) } else { reader.serverSent(bytes) }
            guard reader.isReadable else { return [] }
            self = .mysql(reader)
            return reader.heard.subtracting(heard)
        }
    }

    /// The client of a MySQL session has requested TLS, which ends at the proxy.
    mutating func clientRequestedTLS() {
        switch self {
        case .opaque, .postgres, .guardedPostgres: return
        case .guarded(let guarded):
            guarded.state.endsTLS = true
            guarded.state.reader.clientRequestedTLS()
        case .mysql(var reader):
            reader.clientRequestedTLS()
            self = .mysql(reader)
        }
    }

    var isReadable: Bool { if case .opaque = self { false } else { true } }

    /// Whether the session can be ended without an interruption of its work; false for an opaque session.
    var isAtBoundary: Bool {
        switch self {
        // With a PostgreSQL guard, the login is not complete yet.
        case .opaque, .guardedPostgres: false
        case .postgres(let reader): reader.isAtBoundary
        case .mysql(let reader): reader.isAtBoundary
        case .guarded(let guarded): guarded.state.isAtBoundary
        }
    }

    /// Whether the server owes an answer to a whole request of a client that is logged in; false if this is not
    /// certain.
    var owesAnswer: Bool {
        switch self {
        case .opaque, .guardedPostgres: false
        case .postgres(let reader): reader.owesAnswer
        case .mysql(let reader): reader.owesAnswer
        case .guarded(let guarded): guarded.state.reader.owesAnswer
        }
    }

    /// Whether the client waits for an answer; `nil` if only the order of the latest bytes can show it.
    var awaitsServer: Bool? {
        switch self {
        case .opaque, .guardedPostgres: nil
        case .postgres(let reader): reader.awaitsServer
        case .mysql(let reader): reader.awaitsServer
        case .guarded(let guarded): guarded.state.reader.awaitsServer
        }
    }

    /// The session's cancel key; `nil` while the server may still send it.
    var cancelKey: SessionKey? {
        switch self {
        case .postgres(let reader): reader.cancelKey
        case .opaque, .mysql, .guarded, .guardedPostgres: .unknown
        }
    }

    /// The closing message for the client, if the protocol allows one now. PostgreSQL allows it between two messages.
    /// MySQL allows it instead of an answer that is due; if the session ends rather than moves, also where none is
    /// due.
    func lastWords(_ message: String, as closingMessage: ClosingMessage) -> [UInt8]? {
        switch self {
        case .opaque, .guardedPostgres: nil
        case .postgres(let reader): reader.mayTellClient ? closingMessage.postgresMessage(message) : nil
        case .mysql(let reader): reader.lastWords(message, as: closingMessage)
        case .guarded(let guarded): guarded.state.reader.lastWords(message, as: closingMessage)
        }
    }
}

extension MySQLReader {
    fileprivate func lastWords(_ message: String, as closingMessage: ClosingMessage) -> [UInt8]? {
        let sequence = errorSequence ?? (closingMessage == .moving ? nil : unaskedSequence)
        return sequence.map { closingMessage.mysqlPacket(message, sequence: $0) }
    }
}
