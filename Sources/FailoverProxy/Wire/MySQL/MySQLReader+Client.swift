/// What the client sends.
extension MySQLReader {
    /// The client sent these bytes; they are being passed on to the server.
    mutating func clientSent(_ bytes: UnsafeRawBufferPointer) {
        var bytes = bytes
        while isReadable, followClient(&bytes) {}
    }

    /// Takes the client's bytes up to the next beginning of a packet; whether there was one.
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

    /// The message did not fit into one packet. The answer's numbers follow on from its last.
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
        // The short packet that asks for TLS has the same beginning.
        guard packet.sequence == sequence, packet.length >= MySQLPacket.viewSize, asked.contains(.protocol41),
            !asked.contains(.tls)
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
