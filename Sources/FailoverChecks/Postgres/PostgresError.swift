import FailoverCore

/// An error as libpq tells it, and what it means.
struct PostgresError {
    /// The server's code; `nil` when the error is the library's own.
    var sqlState: String?
    var severity: String?
    var text: String

    /// What people read: `FATAL: the database system is starting up`.
    var words: String { severity.map { "\($0): \(text)" } ?? text }

    /// Whether the user may not do what it asked for.
    var isOfPrivileges: Bool { sqlState == "42501" }

    /// What a server that refuses with a code means; `nil` for codes without a meaning of their own.
    var reason: PingFailure.Reason? {
        switch sqlState {
        // A server that can't start a process for a connection says so without a code, and to a request for TLS only so.
        case nil:
            says("could not fork new process", "server sent an error response during SSL")
                ? .tooManyConnections : nil
        // The state of a server that shuts down has the code of one that starts up. Its words tell them apart.
        case "57P03": text.contains("shutting down") ? .shuttingDown : .startingUp
        case "57P01", "57P02": .shuttingDown
        // The database is missing, dropped, or takes no connections.
        case "3D000", "57P04", "55000": .authentication
        case "42501": .missingPrivilege
        case let code? where code.hasPrefix("28"): .authentication
        // Cancelled, as by a time limit of the server's or a conflict with what it replays; a lock; too much asked for.
        case "57014", "55P03", "25P04": .unanswered
        case let code? where code.hasPrefix("40") || code.hasPrefix("54"): .unanswered
        // Not "… reserved for roles with the … attribute".
        case "53300" where text.contains("for role \""): .userLimit
        // Insufficient resources: connections, memory, files, disk.
        case let code? where code.hasPrefix("53"): .tooManyConnections
        case PoolerRefusal.sqlState?: PoolerRefusal(message: text)?.reason
        default: nil
        }
    }

    private func says(_ phrases: String...) -> Bool { phrases.contains { text.contains($0) } }
}

extension PostgresError {
    /// Reads the text of a connection that failed, written with `PQERRORS_VERBOSE`.
    ///
    /// libpq keeps no code of such an error, only text, with the texts of earlier attempts (TLS, then plain) before it:
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

    /// What an error means while logging in, whose code has no meaning of its own or which has none.
    var reasonWhileLoggingIn: PingFailure.Reason {
        if let reason { return reason }
        if let sqlState {
            // Trouble with what stands behind it, of its own making, or of its machine. Else it minds what was said.
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
