/// The client's direction.
extension MySQLGuard {
    /// The client has sent these bytes.
    mutating func clientSent(_ bytes: UnsafeRawBufferPointer) -> GuardOutput {
        var passage = GuardOutput()
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

    /// Passes on what the client sent while the guard's statement was running.
    mutating func releaseClient(_ passage: inout GuardOutput) {
        guard !fromClient.isEmpty else { return }
        let waiting = fromClient
        fromClient = []
        let released = waiting.withUnsafeBytes { clientSent($0) }
        passage.toServer += released.asItIs ? waiting : released.toServer
        passage.toClient += released.toClient
        passage.refusal = released.refusal
    }

    /// Reads up to the end of a command that resets the session state. Returns the number of bytes.
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

    /// Passes on the bytes of a login or of a command that resets the session state. Other commands wait.
    private mutating func passLogin(_ passage: inout GuardOutput) {
        while !fromClient.isEmpty, let count = loginBytes {
            let part = Array(fromClient.prefix(count))
            let isHandshake = reader.state == .handshake
            part.withUnsafeBytes { reader.clientSent($0) }
            guard reader.isReadable else { return lost(by: isHandshake ? part : nil, &passage) }
            passage.toServer += part
            fromClient = Array(fromClient.dropFirst(part.count))
        }
    }

    /// The number of the client's bytes that may pass; `nil` if none may, or if that is not known yet.
    private var loginBytes: Int? {
        if reader.client.restOfPacket > 0 { return reader.client.restOfPacket }
        guard let packet = fromClient.withUnsafeBytes({ MySQLPacket($0) }) else { return nil }
        let passes =
            switch reader.state {
            case .handshake: true
            // A command has sequence number 0.
            case .serverLogsIn, .clientLogsIn: packet.sequence == reader.sequence
            default: reader.client.isWithinMessage
            }
        return passes ? MySQLPacket.headerSize + packet.viewed : nil
    }
}
