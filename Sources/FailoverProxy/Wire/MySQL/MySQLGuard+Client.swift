/// What the client sends.
extension MySQLGuard {
    /// The client sent these bytes.
    mutating func clientSent(_ bytes: UnsafeRawBufferPointer) -> Passage {
        var passage = Passage()
        switch phase {
        case .over: passage.asItIs = true
        case .setting: fromClient += bytes
        case .forgetting:
            fromClient += bytes
            passLogin(&passage)
        case .following:
            let passed = follow(bytes)
            if phase == .following, reader.isReadable {
                passage.asItIs = true
            } else {
                passage.toServer += bytes[..<passed]
                fromClient = Array(bytes[passed...])
                if !reader.isReadable { lost(&passage) }
            }
        }
        return passage
    }

    /// What waited while the server was told.
    mutating func releaseClient(_ passage: inout Passage) {
        guard !fromClient.isEmpty else { return }
        let waiting = fromClient
        fromClient = []
        let released = waiting.withUnsafeBytes { clientSent($0) }
        passage.toServer += released.asItIs ? waiting : released.toServer
        passage.toClient += released.toClient
        passage.refusal = released.refusal
    }

    /// Reads up to the end of a command that makes the server forget; how many bytes that is.
    private mutating func follow(_ bytes: UnsafeRawBufferPointer) -> Int {
        var rest = bytes
        while reader.isReadable, reader.followClient(&rest) {
            guard reader.latestCommand == .changeUser || reader.latestCommand == .resetConnection else { continue }
            phase = .forgetting
            var end = UnsafeRawBufferPointer(rebasing: rest.prefix(reader.client.restOfPacket))
            let passed = bytes.count - rest.count + end.count
            _ = reader.followClient(&end)
            return passed
        }
        return bytes.count
    }

    /// Passes on what belongs to a login, or to the command that makes the server forget. Commands wait.
    private mutating func passLogin(_ passage: inout Passage) {
        while !fromClient.isEmpty, let count = loginBytes {
            let part = Array(fromClient.prefix(count))
            let isHandshake = reader.state == .handshake
            part.withUnsafeBytes { reader.clientSent($0) }
            guard reader.isReadable else { return lost(by: isHandshake ? part : nil, &passage) }
            passage.toServer += part
            fromClient = Array(fromClient.dropFirst(part.count))
        }
    }

    /// How many of the client's bytes may pass at most; `nil` if none may, or it can't be told yet.
    private var loginBytes: Int? {
        if reader.client.restOfPacket > 0 { return reader.client.restOfPacket }
        guard let packet = fromClient.withUnsafeBytes({ MySQLPacket($0) }) else { return nil }
        let passes =
            switch reader.state {
            case .handshake: true
            // A command begins with number 0.
            case .serverLogsIn, .clientLogsIn: packet.sequence == reader.sequence
            default: reader.client.isWithinMessage
            }
        return passes ? MySQLPacket.headerSize + packet.viewed : nil
    }
}
