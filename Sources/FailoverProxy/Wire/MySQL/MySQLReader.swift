/// Follows both directions of a MySQL or MariaDB session, from the server's greeting on, and knows whether it stands at
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
/// From each state it goes to `opaque` by what it cannot follow, and stays there: false is the answer in doubt.
/// Follows transactions, not what else a session may hold: locks of tables, user variables, temporary tables.
struct MySQLReader {
    enum State: UInt8 {
        /// The server's first packet is awaited.
        case greeting
        /// The client's first packet is awaited.
        case handshake
        /// It is the server's turn, at login or after `COM_CHANGE_USER`.
        case serverLogsIn
        /// It is the client's turn.
        case clientLogsIn
        /// Every command is answered.
        case idle
        /// The first packet of an answer or of its next result is awaited.
        case reply
        /// As many definitions as ``MySQLReader/definitions`` are awaited.
        case definitions
        /// The EOF packet after definitions is awaited.
        case definitionsEnd
        case rows
        /// The client sends a file, up to an empty packet.
        case localInfile
        /// The client has said goodbye or was not let in.
        case quit
        /// Not followed any more.
        case opaque
    }

    struct Facts: OptionSet {
        let rawValue: UInt8
        static let inTransaction = Facts(rawValue: 1 << 0)
        /// Statements ran since the last status that the server told, and failed.
        static let transactionUnknown = Facts(rawValue: 1 << 1)
        /// The client has sent parts of a parameter, and not yet executed the statement.
        static let longData = Facts(rawValue: 1 << 2)
        static let sawShutdown = Facts(rawValue: 1 << 3)
        /// The client's latest message wants an answer.
        static let asks = Facts(rawValue: 1 << 4)
        /// A result of the present answer left a cursor open.
        static let openedCursor = Facts(rawValue: 1 << 5)
        static let sawFull = Facts(rawValue: 1 << 6)
    }

    var server = MySQLPacketStream()
    var client = MySQLPacketStream()
    /// Commands that the client sent without waiting for the answer to ``command``.
    var queue: [MySQLCommand] = []
    /// Statements with an open cursor.
    var cursors: [UInt32] = []
    /// What the server offers; after the handshake what both agreed on.
    var capabilities: MySQLCapabilities = []
    /// What is answered now.
    var command = MySQLCommand(statement: 0, kind: .simple)
    /// What ``MySQLCommand/lastPrepared`` stands for.
    var lastPrepared = MySQLCommand.lastPrepared
    /// Definitions that are awaited.
    var definitions: UInt16 = 0
    /// Definitions of columns that come after those of parameters.
    var columns: UInt16 = 0
    var state = State.greeting
    var facts: Facts = []
    /// The sequence number of the next packet that belongs to the present exchange.
    var sequence: UInt8 = 0

    /// Commands that may wait for their answers; a client that sends more is not followed. 8 bytes each.
    static let queueLimit = 1024
    /// Cursors that may be open; likewise. 4 bytes each.
    static let cursorLimit = 64

    init() {}

    /// False once the stream is opaque: TLS, compression, replication, or something that the reader does not know.
    /// Never becomes true again.
    var isReadable: Bool { state != .opaque }

    /// Whether nothing is lost for the client but its connection if that ends now: it is logged in, every command is
    /// answered completely, there is no transaction and no open cursor, and the client has sent nothing since.
    var isAtBoundary: Bool {
        state == .idle && facts.isDisjoint(with: [.inTransaction, .transactionUnknown, .longData])
            && cursors.isEmpty && server.isBetweenMessages && client.isBetweenMessages
    }

    /// The sequence number of an ERR packet that may be appended to the server's stream now, as the rest of the answer
    /// that the client waits for; `nil` when it waits for none, or when the server is in the midst of a packet.
    var errorSequence: UInt8? {
        guard isRequestComplete, server.isBetweenMessages else { return nil }
        switch state {
        case .greeting, .serverLogsIn, .reply, .definitions, .definitionsEnd, .rows: return sequence
        case .handshake, .clientLogsIn, .idle, .localInfile, .quit, .opaque: return nil
        }
    }

    /// Whether the server said that it shuts down (`ER_SERVER_SHUTDOWN`), or at the login that it has no place.
    var heard: ServerWords {
        var heard: ServerWords = []
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

    /// Whether it is the server's turn; `nil` of a stream that is not followed.
    var awaitsServer: Bool? {
        switch state {
        case .greeting, .serverLogsIn, .reply, .definitions, .definitionsEnd, .rows: true
        case .handshake, .clientLogsIn, .idle, .localInfile, .quit: false
        case .opaque: nil
        }
    }

    /// The sequence number of an ERR packet that nothing was asked for; `nil` when the client waits for an answer, or
    /// either side is in the midst of a packet.
    ///
    /// It is that of the answer to the client's next command. Servers say 0 there, which some drivers take for a packet out
    /// of order and show as a lost connection.
    var unaskedSequence: UInt8? {
        state == .idle && server.isBetweenMessages && client.isBetweenMessages ? 1 : nil
    }

    /// Bytes of memory beyond the value itself.
    var heldBytes: Int {
        server.heldBytes + client.heldBytes + queue.capacity * MemoryLayout<MySQLCommand>.stride
            + cursors.capacity * MemoryLayout<UInt32>.stride
    }

    /// Whether the request that is answered now has been sent to its end. Those in the queue come after it.
    var isRequestComplete: Bool { !queue.isEmpty || !facts.contains(.asks) || !client.isWithinMessage }

    /// The stream cannot be followed any more.
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
        // Gives the memory back.
        if cursors.isEmpty { cursors = [] }
    }

    /// All statements and cursors are closed.
    mutating func closeStatements() {
        cursors = []
        lastPrepared = MySQLCommand.lastPrepared
    }

    /// Turns to a command that was idly awaited or stood in the queue.
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

    /// The command is answered completely.
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
