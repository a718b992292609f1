/// The exchanges after which a server has forgotten how the client wanted its session: logins, and
/// `COM_RESET_CONNECTION`.
extension MySQLReader {
    /// The command that the client sent last, if it is not answered yet.
    var latestCommand: MySQLCommand.Kind? { queue.last?.kind ?? (state == .idle ? nil : command.kind) }

    /// Whether the server's next packet belongs to such an exchange.
    var answersForgetting: Bool {
        switch state {
        case .serverLogsIn, .clientLogsIn: true
        case .reply: command.kind == .changeUser || command.kind == .resetConnection
        case .greeting, .handshake, .idle, .definitions, .definitionsEnd, .rows, .localInfile, .quit, .opaque: false
        }
    }

    /// Whether a packet of the server ends such an exchange and leaves the session alive.
    ///
    /// A refused change of the user does: MariaDB goes on with the former one, and has forgotten all the same.
    func endsForgetting(sequence number: UInt8, header: UInt8) -> Bool {
        guard number == sequence, isRequestComplete else { return false }
        return switch (command.kind, header) {
        case (_, MySQLPacket.ok): true
        case (.changeUser, MySQLPacket.error): true
        case (.resetConnection, MySQLPacket.error), (.resetConnection, MySQLPacket.eof): state == .reply
        default: false
        }
    }

    /// The change of the user was refused, and the server has shown that it goes on with the former one.
    mutating func keptItsUser(_ status: MySQLStatus?) {
        sequence &+= 1
        closeStatements()
        if let status { note(status) } else { facts.insert(.transactionUnknown) }
        finish()
    }
}
