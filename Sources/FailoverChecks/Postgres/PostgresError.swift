import FailoverCore

/// An error reported by libpq, and its meaning.
struct PostgresError {
    /// The code of the server; `nil` for an error of libpq itself.
    var sqlState: String?
    var severity: String?
    var text: String

    /// The message for the operator, for example `FATAL: the database system is starting up`.
    var message: String { severity.map { "\($0): \(text)" } ?? text }

    /// Whether the user lacks a privilege.
    var isOfPrivileges: Bool { sqlState.flatMap(ServerError.init(sqlState:)) == .privilege }

    /// The reason that the code means; `nil` for codes without a specific meaning.
    var reason: PingFailure.Reason? {
        switch sqlState {
        // A server that cannot start a process for a connection sends an error without a code. If it is the answer to a
        // TLS request, libpq reports it with the second text.
        case nil:
            says("could not fork new process", "server sent an error response during SSL")
                ? .tooManyConnections : nil
        // A server that is shutting down uses the same code as one that is starting up. The texts differ.
        case "57P03" where text.contains("shutting down"): .shuttingDown
        // The other message with this code is "… reserved for roles with the … attribute".
        case "53300" where text.contains("for role \""): .userLimit
        case PoolerRefusal.sqlState?: PoolerRefusal(message: text)?.reason
        // Errors of class 08 are classified by their text.
        case let code? where !code.hasPrefix("08"): ServerError(sqlState: code)?.reason
        default: nil
        }
    }

    private func says(_ phrases: String...) -> Bool { phrases.contains { text.contains($0) } }
}

extension PostgresError {
    /// Parses the error text of a failed connection, in the format of `PQERRORS_VERBOSE`.
    ///
    /// For such an error libpq provides no code, only a text. The texts of earlier attempts (with TLS, then without)
    /// precede it:
    ///
    ///     connection to server at "127.0.0.1", port 5433 failed: FATAL:  57P03: the database system is starting up
    ///     LOCATION:  ProcessStartupPacket, postmaster.c:2407
    init(connectionText: String) {
        var lines = connectionText.split(separator: "\n").map(String.init)
        if let last = lines.lastIndex(where: { $0.hasPrefix("connection to server ") }) {
            lines.removeFirst(last)
            if let prefix = lines[0].firstRange(of: " failed: ") {
                lines[0].removeSubrange(..<prefix.upperBound)
            }
        }
        lines.removeAll { $0.hasPrefix("LOCATION:") || $0.hasPrefix("\t") }
        let text = lines.joined(separator: " ")
        if let match = text.wholeMatch(of: /([^:]{1,20}):  ([0-9A-Z]{5}): (.*)/) {
            self.init(sqlState: String(match.2), severity: String(match.1), text: String(match.3))
        } else {
            self.init(sqlState: nil, severity: nil, text: text)
        }
    }

    /// The meaning of an error during the login if it has no code or a code without a specific meaning.
    var reasonWhileLoggingIn: PingFailure.Reason {
        if let reason { return reason }
        if let sqlState {
            // These are problems of the server, its machine, or a server behind a pooler. With other codes, the server
            // rejects the login.
            return ["08", "57", "58", "F0", "XX"].contains { sqlState.hasPrefix($0) } ? .other : .authentication
        }
        if says(
            "received invalid response", "expected authentication request", "received unencrypted data",
            "unexpected message from server", "lost synchronization", "message contents", "malformed", "out of memory",
            "protocol version")
        {
            return .protocolViolation
        }
        if says("server closed the connection", "EOF detected", "unexpected eof") { return .disconnected }
        if says("root certificate file", "definition of service", "service file") { return .local }
        if says("server does not support SSL", "SSL error", "certificate", "sslmode", "TLS") { return .tls }
        if says("password", "authentication", "SCRAM", "channel binding") { return .authentication }
        return .protocolViolation
    }
}
