/// Result sets: a column count, definitions, rows, and their ends. Chapter "Text Resultset".
extension MySQLReader {
    /// The column count packet. With MariaDB's metadata caching it also shows whether definitions follow.
    mutating func counted(_ packet: MySQLPacket) {
        guard let count = packet.integer(at: 0), let number = UInt16(exactly: count.value), number > 0 else {
            return lose()
        }
        columns = 0
        let caches = capabilities.contains(.cacheMetadata)
        guard packet.length == count.end + (caches ? 1 : 0) else { return lose() }
        if caches, packet.uint8(at: count.end) == 0 {
            state = capabilities.contains(.deprecateEOF) ? .rows : .definitionsEnd
        } else {
            awaitDefinitions(number)
        }
    }

    /// Awaits this number of definitions, then the definitions of ``columns``.
    mutating func awaitDefinitions(_ number: UInt16) {
        definitions = number
        if number > 0 { state = .definitions } else { definitionsDone() }
    }

    mutating func defined(_ packet: MySQLPacket) {
        if packet.header == MySQLPacket.error { return failed() }
        guard packet.header != MySQLPacket.eof, definitions > 0 else { return lose() }
        definitions -= 1
        guard definitions == 0 else { return }
        if capabilities.contains(.deprecateEOF) { definitionsDone() } else { state = .definitionsEnd }
    }

    mutating func definitionsEnded(_ packet: MySQLPacket) {
        if packet.header == MySQLPacket.error { return failed() }
        guard isEnd(packet), let status = MySQLStatus(packet) else { return lose() }
        // The rows of a cursor are fetched later, so the result ends here.
        if command.kind == .execute, status.contains(.cursorExists) { return ended(packet) }
        definitionsDone()
    }

    private mutating func definitionsDone() {
        guard command.kind == .prepare else { return state = .rows }
        guard columns > 0 else { return finish() }
        (definitions, columns) = (columns, 0)
        state = .definitions
    }

    mutating func sentRow(_ packet: MySQLPacket) {
        switch packet.header {
        case MySQLPacket.error?:
            failed()
        case MySQLPacket.eof? where packet.length < MySQLPacket.fullSize:
            // A row with the header of EOF has a field longer than 16 MB and therefore fills its packet.
            guard isEnd(packet) else { return lose() }
            ended(packet)
        case .some(let first):
            // Binary rows begin with zero.
            if command.kind == .execute || command.kind == .fetch, first != 0 { lose() }
        case nil:
            lose()
        }
    }

    /// Whether a packet with the header of EOF is an EOF packet, or the OK packet that replaces it.
    private func isEnd(_ packet: MySQLPacket) -> Bool {
        packet.header == MySQLPacket.eof && (capabilities.contains(.deprecateEOF) || packet.length == 5)
    }

    /// A result has ended. The answer ends with its last result.
    mutating func ended(_ packet: MySQLPacket) {
        guard packet.length < MySQLPacket.fullSize, let status = MySQLStatus(packet) else { return lose() }
        note(status)
        switch command.kind {
        case .execute: executed(status)
        case .fetch where status.contains(.lastRowSent), .resetStatement: closeCursor(of: command.statement)
        case .resetConnection: closeStatements()
        default: break
        }
        guard state != .opaque else { return }
        if status.contains(.moreResults) { state = .reply } else { finish() }
    }

    /// Executing a statement closes its previous cursor and may open another.
    private mutating func executed(_ status: MySQLStatus) {
        if status.contains(.cursorExists) {
            closeCursor(of: command.statement)
            guard cursors.count < Self.cursorLimit else { return lose() }
            cursors.append(command.statement)
            facts.insert(.openedCursor)
        } else if !status.contains(.moreResults), !facts.contains(.openedCursor) {
            closeCursor(of: command.statement)
        }
    }

    /// An ERR packet ends an answer at any point and reports no status. A procedure may have begun a transaction
    /// before it failed, so the transaction state is unknown until the next status.
    mutating func failed() {
        switch command.kind {
        case .query, .execute: facts.insert(.transactionUnknown)
        // After a failed prepare, the ID of the statement prepared last refers to no statement.
        case .prepare: lastPrepared = MySQLCommand.lastPrepared
        default: break
        }
        finish()
    }

    /// The server reported its transaction status.
    mutating func note(_ status: MySQLStatus) {
        facts.subtract([.inTransaction, .transactionUnknown])
        if status.contains(.inTransaction) { facts.insert(.inTransaction) }
    }
}
