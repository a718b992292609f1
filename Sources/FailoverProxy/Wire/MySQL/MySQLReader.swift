/// Follows both directions of a MySQL or MariaDB session from the server's greeting on, and determines whether it is at
/// a transaction boundary. Client/Server Protocol, chapters "Connection Phase" and "Command Phase".
///
///     greeting ─▶ handshake ─▶ serverLogsIn ◀──▶ clientLogsIn
///                                   │ OK
///                                   ▼
///               quit ◀─ QUIT ─── idle ◀── reply complete ───────────┐
///                                   │ command                       │
///                                   ▼                               │
///         localInfile ◀── 0xfb ── reply ─▶ definitions ─▶ rows ─────┤
///                                   ▲                               │
///                                   └──────── more results ─────────┘
///
/// Every state changes to `opaque`, and stays there, when the reader cannot follow the session. If the reader is not
/// certain, it answers false. It follows transactions, but not other session state: table locks, user variables,
/// temporary tables.
struct MySQLReader {
    enum State: UInt8 {
        /// Waiting for the server's first packet.
        case greeting
        /// Waiting for the client's first packet.
        case handshake
        /// Waiting for the server, at login or after `COM_CHANGE_USER`.
        case serverLogsIn
        /// Waiting for the client.
        case clientLogsIn
        /// Every command is answered.
        case idle
        /// Waiting for the first packet of an answer or of its next result.
        case reply
        /// Waiting for ``MySQLReader/definitions`` definitions.
        case definitions
        /// Waiting for the EOF packet after definitions.
        case definitionsEnd
        case rows
        /// The client sends a file, up to an empty packet.
        case localInfile
        /// The client has sent `COM_QUIT` or its login was refused.
        case quit
        /// No longer followed.
        case opaque
    }

    struct Facts: OptionSet {
        let rawValue: UInt8
        static let inTransaction = Facts(rawValue: 1 << 0)
        /// A statement has failed since the server's last status.
        static let transactionUnknown = Facts(rawValue: 1 << 1)
        /// The client has sent parts of a parameter and has not executed the statement yet.
        static let longData = Facts(rawValue: 1 << 2)
        static let sawShutdown = Facts(rawValue: 1 << 3)
        /// The client's latest message requires an answer.
        static let asks = Facts(rawValue: 1 << 4)
        /// A result of the current answer has left a cursor open.
        static let openedCursor = Facts(rawValue: 1 << 5)
        static let sawFull = Facts(rawValue: 1 << 6)
        /// The client has requested TLS, which ends at the proxy.
        static let inTLS = Facts(rawValue: 1 << 7)
    }

    var server = MySQLPacketStream()
    var client = MySQLPacketStream()
    /// Commands that the client sent without waiting for the answer to ``command``.
    var queue: [MySQLCommand] = []
    /// The IDs of statements with an open cursor.
    var cursors: [UInt32] = []
    /// The capabilities that the server offers; after the handshake, those that both agreed on.
    var capabilities: MySQLCapabilities = []
    /// The command that is being answered.
    var command = MySQLCommand(statement: 0, kind: .simple)
    /// The ID that ``MySQLCommand/lastPrepared`` stands for.
    var lastPrepared = MySQLCommand.lastPrepared
    /// The number of definitions awaited.
    var definitions: UInt16 = 0
    /// The number of column definitions that follow those of parameters.
    var columns: UInt16 = 0
    var state = State.greeting
    var facts: Facts = []
    /// The sequence number of the next packet of the current exchange.
    var sequence: UInt8 = 0

    /// The maximum number of commands that wait for answers. A client that sends more is not followed. 8 bytes each.
    static let queueLimit = 1024
    /// The maximum number of open cursors. A client that opens more is not followed. 4 bytes each.
    static let cursorLimit = 64

    init() {}

    /// Whether the reader can follow the stream. It cannot with TLS, compression, replication, or anything unknown to
    /// it. Once false, it stays false.
    var isReadable: Bool { state != .opaque }

    /// Whether the client loses only its connection if the session ends now: it is logged in, every command is
    /// completely answered, no transaction and no cursor is open, and the client has sent nothing since.
    var isAtBoundary: Bool {
        state == .idle && facts.isDisjoint(with: [.inTransaction, .transactionUnknown, .longData])
            && cursors.isEmpty && server.isBetweenMessages && client.isBetweenMessages
    }

    /// The sequence number of an ERR packet that may be appended to the server's stream now, as the rest of the answer
    /// that the client waits for; `nil` if it waits for no answer, or if a packet of the server is incomplete.
    var errorSequence: UInt8? {
        guard isRequestComplete, server.isBetweenMessages else { return nil }
        switch state {
        case .greeting, .serverLogsIn, .reply, .definitions, .definitionsEnd, .rows: return sequence
        case .handshake, .clientLogsIn, .idle, .localInfile, .quit, .opaque: return nil
        }
    }

    /// Whether the server reported that it is shutting down (`ER_SERVER_SHUTDOWN`) or, at the login, that it has no
    /// connection slot.
    var heard: ServerSigns {
        var heard: ServerSigns = []
        if facts.contains(.sawShutdown) { heard.insert(.shutdown) }
        if facts.contains(.sawFull) { heard.insert(.full) }
        return heard
    }

    /// Whether the server owes the answer to a whole command.
    var owesAnswer: Bool {
        switch state {
        case .reply, .definitions, .definitionsEnd, .rows: isRequestComplete
        case .greeting, .handshake, .serverLogsIn, .clientLogsIn, .idle, .localInfile, .quit, .opaque: false
        }
    }

    /// Whether the server is expected to send next; `nil` if the stream is not followed.
    var awaitsServer: Bool? {
        switch state {
        case .greeting, .serverLogsIn, .reply, .definitions, .definitionsEnd, .rows: true
        case .handshake, .clientLogsIn, .idle, .localInfile, .quit: false
        case .opaque: nil
        }
    }

    /// The sequence number of an ERR packet that is not an answer; `nil` if the client waits for an answer, or if a
    /// packet of either side is incomplete.
    ///
    /// It is the number of the answer to the client's next command. Servers send 0 here. Some drivers regard 0 as a
    /// packet out of order and report a lost connection.
    var unaskedSequence: UInt8? {
        state == .idle && server.isBetweenMessages && client.isBetweenMessages ? 1 : nil
    }

    /// Bytes of memory beyond the value itself.
    var heldBytes: Int {
        server.heldBytes + client.heldBytes + queue.capacity * MemoryLayout<MySQLCommand>.stride
            + cursors.capacity * MemoryLayout<UInt32>.stride
    }

    /// Whether the client has sent the whole request that is being answered. If there are requests in the queue, it
    /// has.
    var isRequestComplete: Bool { !queue.isEmpty || !facts.contains(.asks) || !client.isWithinMessage }

    /// The stream can no longer be followed.
    mutating func lose() {
        let lasting = facts.intersection([.sawShutdown, .sawFull])
        self = MySQLReader()
        facts = lasting
        state = .opaque
    }

    /// The cursor of the statement is closed, if it had one.
    mutating func closeCursor(of statement: UInt32) {
        guard !cursors.isEmpty else { return }
        cursors.removeAll { $0 == statement }
        // Releases the memory.
        if cursors.isEmpty { cursors = [] }
    }

    /// All statements and cursors are closed.
    mutating func closeStatements() {
        cursors = []
        lastPrepared = MySQLCommand.lastPrepared
    }

    /// Starts a command that has just arrived or was in the queue.
    mutating func begin(_ next: MySQLCommand) {
        command = next
        if next.statement == MySQLCommand.lastPrepared { command.statement = lastPrepared }
        sequence = next.sequence &+ 1
        facts.remove(.openedCursor)
        switch next.kind {
        case .quit:
            state = .quit
        case .fetch, .fieldList:
            state = .rows
        case .simple, .resetStatement, .resetConnection, .statistics, .query, .execute, .prepare, .changeUser:
            state = .reply
        }
    }

    /// The command is completely answered.
    mutating func finish() {
        switch command.kind {
        case .resetConnection, .changeUser, .execute, .resetStatement: facts.remove(.longData)
        case .simple, .statistics, .query, .prepare, .fetch, .fieldList, .quit: break
        }
        guard !queue.isEmpty else { return state = .idle }
        let next = queue.removeFirst()
        if queue.isEmpty { queue = [] }
        begin(next)
    }
}
