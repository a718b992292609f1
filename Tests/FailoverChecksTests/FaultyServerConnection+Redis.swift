import FailoverTesting

/// The part of a Redis server that a ping uses.
extension FaultyServerConnection {
    /// Reads one command; `nil` if the client has closed. Pings send each command in one piece and wait for its
    /// answer.
    func receiveRedisCommand() -> String? {
        let bytes = receive()
        guard !bytes.isEmpty else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        // *2 $4 AUTH $6 secret
        return lines.enumerated().filter { $0.offset % 2 == 0 && $0.offset > 0 && !$0.element.isEmpty }
            .map { String($0.element) }.joined(separator: " ")
    }

    /// A healthy server with different answers to some commands: `["INFO replication": "-NOPERM no"]`.
    func serveRedis(_ answers: [String: String] = [:]) {
        while let command = receiveRedisCommand() {
            let usual = command == "PING" ? "+PONG" : command.hasPrefix("INFO") ? "$7\r\nrole:up" : "+OK"
            send(Array("\(answers[command] ?? usual)\r\n".utf8))
        }
    }

    /// A bulk string, such as the answer to INFO.
    static func redisText(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)" }
}
