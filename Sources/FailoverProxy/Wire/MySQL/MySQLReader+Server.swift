import FailoverCore

/// The server's direction.
extension MySQLReader {
    /// The server has sent these bytes, which are passed on to the client.
    mutating func serverSent(_ bytes: UnsafeRawBufferPointer) {
        var bytes = bytes
        if state == .greeting {
            guard let first = server.whole(&bytes, limit: Self.greetingLimit) else { return }
            greeted(first.body, sequence: first.sequence)
        }
        while isReadable, followServer(&bytes) {}
    }

    /// Reads the server's bytes after its greeting up to the beginning of the next packet. Returns whether there was
    /// one.
    mutating func followServer(_ bytes: inout UnsafeRawBufferPointer) -> Bool {
        guard let event = server.next(&bytes) else { return false }
        switch event {
        case .message(let packet): serverBegan(packet)
        // The sequence number of the message whose beginning was read.
        case .continuation(let packet): sequence = packet.sequence &+ 1
        case .outOfOrder: lose()
        }
        return true
    }

    /// The maximum size of a greeting; real ones have about 100 bytes.
    private static let greetingLimit = 1024
    /// `ER_SERVER_SHUTDOWN`.
    static let shutdownCode: UInt16 = 1053
    /// Whether the code means that the server has no connection slot for the client.
    static func isForLackOfRoom(_ code: UInt16) -> Bool {
        ServerError(mySQLCode: Int(code))?.kind == .tooManyConnections
    }
    /// MariaDB reports the progress of a statement in packets that look like an ERR packet with this code.
    private static let progressCode: UInt16 = 0xffff

    private mutating func greeted(_ body: [UInt8], sequence first: UInt8) {
        if body.first == MySQLPacket.error, body.count >= 3 {
            if UInt16(body[1]) | UInt16(body[2]) << 8 == Self.shutdownCode { facts.insert(.sawShutdown) }
            return state = .quit
        }
        guard first == 0, let offered = MySQLCapabilities(greeting: body) else { return lose() }
        capabilities = offered
        sequence = 1
        state = .handshake
    }

    private mutating func serverBegan(_ packet: MySQLPacket) {
        if packet.errorCode == Self.shutdownCode { facts.insert(.sawShutdown) }
        switch state {
        case .quit, .opaque:
            return
        case .greeting, .handshake, .idle, .localInfile:
            // Without a request, the server is ending the session.
            return lose()
        case .serverLogsIn, .clientLogsIn, .reply, .definitions, .definitionsEnd, .rows:
            guard packet.sequence == sequence, isRequestComplete else { return lose() }
            sequence &+= 1
        }
        if packet.errorCode == Self.progressCode { return }
        switch state {
        case .serverLogsIn, .clientLogsIn: loggedIn(packet)
        case .reply: replied(packet)
        case .definitions: defined(packet)
        case .definitionsEnd: definitionsEnded(packet)
        case .rows: sentRow(packet)
        case .greeting, .handshake, .idle, .localInfile, .quit, .opaque: break
        }
    }

    /// The server's answer in a login: success, refusal, another method, or more data of the method.
    mutating func loggedIn(_ packet: MySQLPacket) {
        let wasLogin = command.kind != .changeUser
        switch packet.header {
        case MySQLPacket.ok:
            guard let status = MySQLStatus(packet) else { return lose() }
            note(status)
            closeStatements()
            finish()
        case MySQLPacket.error:
            if wasLogin, packet.errorCode.map(Self.isForLackOfRoom) == true { facts.insert(.sawFull) }
            // It is unknown whether the server continues with the previous user.
            if wasLogin { state = .quit } else { lose() }
        default:
            // The client's next packet must belong to the login.
            guard queue.isEmpty else { return lose() }
            // caching_sha2_password found the client in its cache; OK follows.
            let isFastSuccess = packet.length == 2 && packet.header == 1 && packet.uint8(at: 1) == 3
            state = isFastSuccess ? .serverLogsIn : .clientLogsIn
        }
    }

    /// The first packet of an answer or of its next result.
    private mutating func replied(_ packet: MySQLPacket) {
        if command.kind == .changeUser { return loggedIn(packet) }
        if packet.header == MySQLPacket.error { return failed() }
        switch command.kind {
        case .statistics:
            finish()
        case .simple, .resetStatement, .resetConnection:
            guard packet.header == MySQLPacket.ok || packet.header == MySQLPacket.eof else { return lose() }
            ended(packet)
        case .prepare:
            prepared(packet)
        case .query, .execute:
            repliedToStatement(packet)
        case .fetch, .fieldList, .changeUser, .quit:
            lose()
        }
    }

    private mutating func repliedToStatement(_ packet: MySQLPacket) {
        switch packet.header {
        case MySQLPacket.ok, MySQLPacket.eof:
            ended(packet)
        case MySQLPacket.localInfile:
            // The client's next packets must be the file.
            guard queue.isEmpty, client.isBetweenMessages else { return lose() }
            state = .localInfile
        default:
            counted(packet)
        }
    }

    /// `COM_STMT_PREPARE_OK`: the statement's id (4), columns (2), parameters (2).
    private mutating func prepared(_ packet: MySQLPacket) {
        guard packet.header == MySQLPacket.ok, packet.length >= 12, let statement = packet.uint32(at: 1),
            let columns = packet.uint16(at: 5), let parameters = packet.uint16(at: 7)
        else { return lose() }
        lastPrepared = statement
        self.columns = columns
        awaitDefinitions(parameters)
    }
}
