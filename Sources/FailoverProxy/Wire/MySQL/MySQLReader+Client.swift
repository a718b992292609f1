/// The client's direction.
extension MySQLReader {
    /// The client has sent these bytes, which are passed on to the server.
    mutating func clientSent(_ bytes: UnsafeRawBufferPointer) {
        var bytes = bytes
        while isReadable, followClient(&bytes) {}
    }

    /// The client has requested TLS, which ends at the proxy. Its next packet is within TLS, and the first one here.
    mutating func clientRequestedTLS() {
        guard state == .handshake else { return }
        sequence &+= 1
        facts.insert(.inTLS)
    }

    /// Reads the client's bytes up to the beginning of the next packet. Returns whether there was one.
    mutating func followClient(_ bytes: inout UnsafeRawBufferPointer) -> Bool {
        guard let event = client.next(&bytes) else { return false }
        switch event {
        case .message(let packet): clientBegan(packet)
        case .continuation(let packet): clientContinued(packet)
        case .outOfOrder: lose()
        }
        return true
    }

    private mutating func clientBegan(_ packet: MySQLPacket) {
        switch state {
        case .handshake:
            shakeHands(packet)
        case .serverLogsIn, .clientLogsIn:
            guard packet.sequence == sequence else { return lose() }
            sequence &+= 1
            facts.insert(.asks)
            state = .serverLogsIn
        case .localInfile:
            guard packet.sequence == sequence else { return lose() }
            sequence &+= 1
            if packet.length == 0 { state = .reply }
        case .idle, .reply, .definitions, .definitionsEnd, .rows:
            clientAsked(packet)
        case .greeting:
            lose()
        case .quit, .opaque:
            break
        }
    }

    /// The message did not fit into one packet. The sequence numbers of the answer continue from its last packet.
    private mutating func clientContinued(_ packet: MySQLPacket) {
        switch state {
        case .serverLogsIn, .clientLogsIn, .localInfile:
            sequence = packet.sequence &+ 1
        case .idle, .reply, .definitions, .definitionsEnd, .rows:
            guard facts.contains(.asks) else { return }
            if queue.isEmpty {
                sequence = packet.sequence &+ 1
            } else {
                queue[queue.count - 1].sequence = packet.sequence
            }
        case .greeting, .handshake, .quit, .opaque:
            break
        }
    }

    private mutating func shakeHands(_ packet: MySQLPacket) {
        let asked = MySQLCapabilities(handshake: packet)
        // The short packet that requests TLS has the same beginning.
        guard packet.sequence == sequence, packet.length >= MySQLPacket.viewSize, asked.contains(.protocol41),
            !asked.contains(.tls) || facts.contains(.inTLS)
        else { return lose() }
        capabilities.formIntersection(asked)
        guard capabilities.isDisjoint(with: .unreadable) else { return lose() }
        sequence &+= 1
        facts.insert(.asks)
        state = .serverLogsIn
    }

    private mutating func clientAsked(_ packet: MySQLPacket) {
        guard packet.sequence == 0, let byte = packet.header, let request = MySQLCommand.Request(command: byte) else {
            return lose()
        }
        let statement = packet.uint32(at: 1) ?? 0
        switch request {
        case .answered(let kind):
            facts.insert(.asks)
            ask(MySQLCommand(statement: statement, kind: kind))
        case .longData:
            facts.remove(.asks)
            facts.insert(.longData)
        case .closeStatement:
            facts.subtract([.asks, .longData])
            closeCursor(of: statement)
        }
    }

    private mutating func ask(_ next: MySQLCommand) {
        if state == .idle {
            begin(next)
        } else if queue.count < Self.queueLimit {
            queue.append(next)
        } else {
            lose()
        }
    }
}

/// The exchanges that reset the session state: logins and `COM_RESET_CONNECTION`.
extension MySQLReader {
    /// The client's latest command; `nil` if it is already answered.
    var latestCommand: MySQLCommand.Kind? { queue.last?.kind ?? (state == .idle ? nil : command.kind) }

    /// Whether the server's next packet belongs to such an exchange.
    var answersForgetting: Bool {
        switch state {
        case .serverLogsIn, .clientLogsIn: true
        case .reply: command.kind == .changeUser || command.kind == .resetConnection
        case .greeting, .handshake, .idle, .definitions, .definitionsEnd, .rows, .localInfile, .quit, .opaque: false
        }
    }

    /// Whether a packet of the server ends such an exchange and the session continues.
    ///
    /// This includes a refused change of the user: MariaDB continues with the previous user and resets the session
    /// state.
    func endsForgetting(sequence number: UInt8, header: UInt8) -> Bool {
        guard number == sequence, isRequestComplete else { return false }
        return switch (command.kind, header) {
        case (_, MySQLPacket.ok): true
        case (.changeUser, MySQLPacket.error): true
        case (.resetConnection, MySQLPacket.error), (.resetConnection, MySQLPacket.eof): state == .reply
        default: false
        }
    }

    /// The change of the user was refused, and the server has shown that it continues with the previous user.
    mutating func keptItsUser(_ status: MySQLStatus?) {
        sequence &+= 1
        closeStatements()
        if let status { note(status) } else { facts.insert(.transactionUnknown) }
        finish()
    }
}
