/// The server's direction.
extension MySQLGuard {
    /// The server has sent these bytes.
    mutating func serverSent(_ bytes: UnsafeRawBufferPointer) -> GuardOutput {
        var passage = GuardOutput()
        switch phase {
        case .over: passage.asItIs = true
        case .following:
            reader.serverSent(bytes)
            if reader.isReadable {
                passage.asItIs = true
            } else {
                fromServer = Array(bytes)
                lost(&passage)
            }
        case .forgetting, .setting:
            fromServer += bytes
            readServer(&passage)
        }
        return passage
    }

    private mutating func readServer(_ passage: inout GuardOutput) {
        let bytes = fromServer
        fromServer = []
        let rest = bytes.withUnsafeBytes { all in
            var rest = all
            while !rest.isEmpty, phase == .forgetting || phase == .setting {
                let taken = phase == .setting ? takeOutcome(rest, &passage) : takeAnswer(rest, &passage)
                guard let taken else { break }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(taken))
            }
            return Array(rest)
        }
        switch phase {
        case .forgetting where !reader.isReadable || reader.state == .idle:
            // The server sent an answer without a request.
            fromServer = rest
            lost(&passage)
        case .forgetting where reader.state == .quit:
            passage.toClient += rest
            passage.toServer += fromClient
            end()
        case .forgetting, .setting:
            fromServer = rest
        case .following where !rest.isEmpty:
            let more = rest.withUnsafeBytes { serverSent($0) }
            passage.toServer += more.toServer
            passage.toClient += more.asItIs ? rest : more.toClient
            passage.refusal = more.refusal
        case .following:
            break
        case .over:
            if passage.refusal == nil { passage.toClient += rest }
        }
    }

    /// Passes on bytes up to the beginning of the next packet, or holds an answer. Returns the number of bytes; `nil`
    /// if there are too few.
    private mutating func takeAnswer(_ bytes: UnsafeRawBufferPointer, _ passage: inout GuardOutput) -> Int? {
        guard reader.isReadable, reader.state != .quit, reader.state != .idle else { return nil }
        if reader.server.restOfPacket > 0 || reader.state == .greeting {
            let count = reader.state == .greeting ? bytes.count : min(reader.server.restOfPacket, bytes.count)
            reader.serverSent(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            passage.toClient += bytes[..<count]
            return count
        }
        if reader.server.isBetweenMessages, reader.answersForgetting {
            guard let length = Self.bodyLength(bytes) else { return nil }
            // The bytes after an empty packet do not belong to it.
            if length > 0 {
                guard bytes.count > MySQLPacket.headerSize else { return nil }
                if reader.endsForgetting(sequence: bytes[3], header: bytes[MySQLPacket.headerSize]) {
                    return hold(bytes, &passage)
                }
            }
        }
        var rest = bytes
        _ = reader.followServer(&rest)
        passage.toClient += bytes[..<(bytes.count - rest.count)]
        return bytes.count - rest.count
    }

    private mutating func hold(_ bytes: UnsafeRawBufferPointer, _ passage: inout GuardOutput) -> Int? {
        guard let size = wholePacket(bytes, &passage) else { return nil }
        answer = Array(bytes[..<size])
        passage.toServer += Self.command(reader.capabilities)
        phase = .setting
        return size
    }

    /// The server's answer to the guard's statement.
    private mutating func takeOutcome(_ bytes: UnsafeRawBufferPointer, _ passage: inout GuardOutput) -> Int? {
        guard let size = wholePacket(bytes, &passage) else { return nil }
        let packet = UnsafeRawBufferPointer(rebasing: bytes[..<size])
        switch (packet[3], packet.dropFirst(MySQLPacket.headerSize).first) {
        case (1, MySQLPacket.ok?): release(MySQLPacket(packet).flatMap(MySQLStatus.init), &passage)
        case (1, MySQLPacket.error?):
            guard case .error(let code, let message) = MySQLFirstPacket(packet) else { fallthrough }
            refuse("server answered \(code): \(message)", code: code, &passage)
        default: refuse("unexpected answer from the server", &passage)
        }
        return size
    }

    private mutating func release(_ status: MySQLStatus?, _ passage: inout GuardOutput) {
        passage.toClient += answer
        if reader.command.kind == .changeUser, answerIsRefusal {
            reader.keptItsUser(status)
        } else {
            answer.withUnsafeBytes { reader.serverSent($0) }
        }
        answer = []
        phase = .following
        guard reader.isReadable else { return lost(&passage) }
        releaseClient(&passage)
    }

    /// The size of the packet that begins here; `nil` until it is complete.
    private mutating func wholePacket(_ bytes: UnsafeRawBufferPointer, _ passage: inout GuardOutput) -> Int? {
        guard let length = Self.bodyLength(bytes) else { return nil }
        guard length <= Self.answerLimit else {
            refuse("the server's answer is too long", &passage)
            return nil
        }
        return bytes.count >= MySQLPacket.headerSize + length ? MySQLPacket.headerSize + length : nil
    }

    /// The body length of the packet that begins here; `nil` before its header has arrived.
    private static func bodyLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= MySQLPacket.headerSize else { return nil }
        return Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
    }
}
