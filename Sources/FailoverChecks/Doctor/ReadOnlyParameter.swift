import FailoverCore
import FailoverSystem

/// Whether a PostgreSQL server, or the pooler before it, takes no `default_transaction_read_only` at a session's start.
enum ReadOnlyParameter {
    private static let name = "default_transaction_read_only"
    private static let longestAnswer = 8192

    /// Begins a session in clear that asks for it, as those of a route with `failover_read_only` do, and leaves.
    static func isRefused(by server: DatabaseServer, _ attempt: PingAttempt) throws(PingFailure) -> Bool {
        let connection = try TCPConnection(attempt)
        if let version = server.proxyHeader, !attempt.address.isUnix {
            try connection.send(connection.header(version), attempt)
        }
        let user = server.user ?? ""
        let parameters = ["user", user, "database", server.databaseName ?? user, name, "on"]
        var message: [UInt8] = [0, 3, 0, 0]
        for parameter in parameters { message += Array(parameter.utf8) + [0] }
        message.append(0)
        let length = withUnsafeBytes(of: UInt32(message.count + 4).bigEndian) { Array($0) }
        try connection.send(length + message, attempt)
        var answer: [UInt8] = []
        while isIncomplete(answer) { answer += try connection.receive(attempt) }
        connection.closeInOrder(before: attempt.deadline)
        return tellsSo(answer)
    }

    /// Whether more of the answer is to come.
    static func isIncomplete(_ answer: [UInt8]) -> Bool {
        guard answer.count >= 5 else { return answer.isEmpty || answer[0] == UInt8(ascii: "E") }
        let length = answer[1...4].reduce(0) { $0 << 8 | Int($1) }
        return answer[0] == UInt8(ascii: "E") && length <= longestAnswer && answer.count <= length
    }

    /// protocol_violation or feature_not_supported, with the parameter's name.
    static func tellsSo(_ answer: [UInt8]) -> Bool {
        let text = String(decoding: answer.dropFirst(5), as: UTF8.self)
        let codes = text.split(separator: "\u{0}").filter { $0.hasPrefix("C") }
        return answer.first == UInt8(ascii: "E") && text.contains(name)
            && codes.contains { $0 == "C08P01" || $0 == "C0A000" }
    }
}
