import FailoverTesting

@testable import FailoverProxy

extension FuzzTarget {
    /// A client's first message and a server's answer to it, as they arrive.
    static let postgresFirst = FuzzTarget("postgres-first") { input in
        let isAnswer = input.flag()
        let bytes = input.remaining()
        if isAnswer {
            _ = PostgresErrorResponse(body: bytes)?.bytes
            return firstChange(in: bytes, .incomplete, .letIn, read: PostgresAnswer.init)
        }
        if let longer = PostgresReadOnlyStartup.bytes(bytes) {
            guard case .startup(let length) = PostgresFirstMessage(bytes),
                PostgresFirstMessage(longer) == .startup(length: longer.count - bytes.count + length)
            else { return "the StartupMessage with the parameter is none" }
        }
        return firstChange(in: bytes, .incomplete, read: PostgresFirstMessage.init)
    }

    /// A server's greeting, or the error instead of it, and the beginnings of packets.
    static let mysqlFirst = FuzzTarget("mysql-first") { input in
        let bytes = input.remaining()
        _ = MySQLCapabilities(greeting: bytes)
        if let packet = bytes.withUnsafeBytes({ MySQLPacket($0) }) {
            _ = (MySQLCapabilities(handshake: packet), MySQLStatus(packet), packet.errorCode)
            for index in -1...MySQLPacket.viewSize {
                _ = (packet.uint16(at: index), packet.uint32(at: index), packet.integer(at: index))
            }
        }
        return firstChange(in: bytes, .incomplete) { $0.withUnsafeBytes(MySQLFirstPacket.init) }
    }

    /// The refused login that ends a connection to a server.
    static let mysqlRefusedLogin = FuzzTarget("mysql-refused-login") { input in
        var login = MySQLRefusedLogin()
        var sent = 0
        for piece in input.pieces() {
            switch piece.withUnsafeBytes({ login.serverSent($0) }) {
            case .wait: continue
            case .leave: return nil
            case .send: sent += 1
            }
            if sent > 100 { return "it talks for ever" }
        }
        return nil
    }

    /// A whole message stays whole, whatever follows it.
    static let firstFlight = FuzzTarget("first-flight") { input in
        let bytes = input.remaining()
        for isWhole in [FirstFlight.isWholeTLS, FirstFlight.isWholeGSSAPI] {
            guard isWhole(bytes), !isWhole(bytes + [0]) else { continue }
            return "what was whole is not any more"
        }
        return nil
    }

    /// The result for the first bytes must not change when more arrive.
    static func firstChange<Reading: Equatable>(
        in bytes: [UInt8], _ incomplete: Reading..., read: ([UInt8]) -> Reading
    ) -> String? {
        var former = incomplete[0]
        // The first bytes decide. Longer prefixes differ only in the part of a body that has arrived.
        let counts = Array(0...min(bytes.count, 64)) + stride(from: 65, through: bytes.count, by: 37) + [bytes.count]
        for count in counts {
            let reading = read(Array(bytes.prefix(count)))
            if !incomplete.contains(former), reading != former {
                return "after \(count) bytes \(reading), before \(former)"
            }
            former = reading
        }
        return nil
    }
}
