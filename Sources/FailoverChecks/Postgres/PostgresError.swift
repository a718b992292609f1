import FailoverCore

/// An error reported by libpq, and its meaning.
struct PostgresError {
    /// The server's code; `nil` if the error is libpq's own.
    var sqlState: String?
    var severity: String?
    var text: String

    /// The message for people, for example `FATAL: the database system is starting up`.
    var message: String { severity.map { "\($0): \(text)" } ?? text }

    /// Whether the user lacks a privilege.
    var isOfPrivileges: Bool { sqlState.flatMap(ServerError.init(sqlState:)) == .privilege }

    /// The meaning of a server's code; `nil` for codes without a specific meaning.
    var reason: PingFailure.Reason? {
        switch sqlState {
        // A server that cannot start a process for a connection sends an error without a code. libpq reports it this
        // way if it was sent in answer to a TLS request.
        case nil:
            says("could not fork new process", "server sent an error response during SSL")
                ? .tooManyConnections : nil
        // A server that is shutting down has the same code as one that is starting up. The texts differ.
        case "57P03" where text.contains("shutting down"): .shuttingDown
        // Unlike "… reserved for roles with the … attribute".
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
    /// libpq keeps no code of such an error, only its text, preceded by the texts of earlier attempts (TLS, then
    /// plain):
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
            // Problems of a server behind a pooler, of the server itself or of its machine. Otherwise it rejects the
            // login.
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
