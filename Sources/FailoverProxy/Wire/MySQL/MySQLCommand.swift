/// A command of the client that the server answers. Client/Server Protocol, chapter "Command Phase".
struct MySQLCommand {
    /// The kinds of answers.
    enum Kind: UInt8 {
        /// One OK, EOF or ERR packet.
        case simple
        /// One OK, EOF or ERR packet. Closes the statement's cursor.
        case resetStatement
        /// One OK, EOF or ERR packet. Closes all statements.
        case resetConnection
        /// One packet of any content.
        case statistics
        /// `COM_QUERY`: OK, ERR, a request for a file, or result sets with rows of text.
        case query
        /// `COM_STMT_EXECUTE` and MariaDB's `COM_STMT_BULK_EXECUTE`: like `query` with binary rows, possibly with a
        /// cursor.
        case execute
        /// The statement's ID, then definitions of parameters and of columns.
        case prepare
        /// Rows of a cursor, without definitions.
        case fetch
        /// Definitions of columns, without their number.
        case fieldList
        /// A login.
        case changeUser
        /// No answer; the server closes.
        case quit
    }

    /// The request that the first byte of a client's message specifies.
    enum Request {
        case answered(Kind)
        /// `COM_STMT_SEND_LONG_DATA`.
        case longData
        /// `COM_STMT_CLOSE`.
        case closeStatement
    }

    /// The statement ID of commands that have one.
    var statement: UInt32
    let kind: Kind
    /// The sequence number of the command's latest packet.
    var sequence: UInt8 = 0

    /// The ID that stands for the statement prepared last (MariaDB, `COM_STMT_EXECUTE`).
    static let lastPrepared = UInt32.max
}

extension MySQLCommand.Request {
    /// - Returns: `nil` for commands that start another protocol, such as `COM_BINLOG_DUMP`, and for unknown ones.
    init?(command: UInt8) {
        switch command {
        case 0x01: self = .answered(.quit)
        // INIT_DB, CREATE_DB, DROP_DB, REFRESH, SHUTDOWN, PROCESS_KILL, DEBUG, PING, SET_OPTION
        case 0x02, 0x05, 0x06, 0x07, 0x08, 0x0c, 0x0d, 0x0e, 0x1b: self = .answered(.simple)
        // QUERY, PROCESS_INFO
        case 0x03, 0x0a: self = .answered(.query)
        case 0x04: self = .answered(.fieldList)
        case 0x09: self = .answered(.statistics)
        case 0x11: self = .answered(.changeUser)
        case 0x16: self = .answered(.prepare)
        // STMT_EXECUTE, STMT_BULK_EXECUTE
        case 0x17, 0xfa: self = .answered(.execute)
        case 0x18: self = .longData
        case 0x19: self = .closeStatement
        case 0x1a: self = .answered(.resetStatement)
        case 0x1c: self = .answered(.fetch)
        case 0x1f: self = .answered(.resetConnection)
        default: return nil
        }
    }
}
