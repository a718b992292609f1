import FailoverChecks
import FailoverCore
import FailoverSystem

/// Whether a PostgreSQL server, or a pooler in front of it, refuses `default_transaction_read_only` as a start-up
/// parameter.
enum ReadOnlyParameter {
    private static let name = "default_transaction_read_only"
    private static let longestAnswer = 8192

    /// Starts a clear-text session with the parameter, as routes with `failover_read_only` do, and closes it.
    static func isRefused(by server: DatabaseServer, _ attempt: PingAttempt) throws(PingFailure) -> Bool {
        let connection = try TCPConnection.connected(attempt)
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

    /// Whether the answer is incomplete.
    static func isIncomplete(_ answer: [UInt8]) -> Bool {
        guard answer.count >= 5 else { return answer.isEmpty || answer[0] == UInt8(ascii: "E") }
        let length = answer[1...4].reduce(0) { $0 << 8 | Int($1) }
        return answer[0] == UInt8(ascii: "E") && length <= longestAnswer && answer.count <= length
    }

    /// Whether the answer is protocol_violation or feature_not_supported and contains the parameter's name.
    static func tellsSo(_ answer: [UInt8]) -> Bool {
        let text = String(decoding: answer.dropFirst(5), as: UTF8.self)
        let codes = text.split(separator: "\u{0}").filter { $0.hasPrefix("C") }
        return answer.first == UInt8(ascii: "E") && text.contains(name)
            && codes.contains { $0 == "C08P01" || $0 == "C0A000" }
    }
}
