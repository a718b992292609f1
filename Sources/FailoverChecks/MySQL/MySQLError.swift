import FailoverCore
import FailoverSystem
import Glibc

/// An error of a MySQL or MariaDB server, or of the client library, and its meaning.
///
/// Codes below 2000 and from 3000 to 4999 come from servers, the others from the library.
package struct MySQLError: Error, Equatable {
    private(set) var code: Int
    private(set) var text: String

    /// The answer to the query was not complete in time.
    static let timedOut = MySQLError(code: 2013, text: "the answer did not end in time")
    /// The server's answer is too long for a ping.
    static let tooLong = MySQLError(code: 0, text: "the answer has more than 10000 rows or 1 MiB")

    /// A wait of which the library does not know failed with this errno: the time is up, a server's first bytes are no
    /// greeting, the server has closed the connection, or the library lacks what this program needs.
    static func wait(failed errno: Int32) -> MySQLError {
        switch errno {
        case ECONNRESET: MySQLError(code: 2013, text: "lost the connection")
        case ENOSYS: MySQLError(code: 2008, text: "this MySQL client library was built without protocol tracing")
        default: MySQLError(code: 2003, text: "no answer (\(errno))")
        }
    }

    init(code: Int, text: String) {
        self.code = code
        self.text = text
        // The server refused the connection before TLS. Connector/C wraps the error of the server in its own error.
        if code == 2002,
            let match = text.wholeMatch(of: /.* cannot be verified: ([0-9]{1,5}) - (.*)/.dotMatchesNewlines()),
            let inner = Int(match.1)
        {
            self.code = inner
            self.text = String(match.2)
        }
    }

    /// Whether the library could not connect, lost the connection or failed in TLS. It reports the same errors when the
    /// time limit has passed.
    var isOfTheNetwork: Bool { [2002, 2003, 2006, 2012, 2013, 2026, 2055, 5013, 5014].contains(code) }

    /// Whether the user lacks a privilege.
    var isOfPrivileges: Bool { ServerError(mySQLCode: code) == .privilege }

    /// Whether the error occurred before the connection was established.
    var isOfConnecting: Bool { code == 2002 || code == 2003 }

    /// The kernel's error of a connect. The library appends its number, as `(111)`.
    var systemError: SystemError? {
        guard isOfConnecting else { return nil }
        guard let match = text.firstMatch(of: /\(([0-9]{1,3})\)$/), let number = Int32(match.1),
            number > 0
        else { return nil }
        return SystemError(number)
    }

    /// The meaning of the error at a stage of the ping.
    func reason(at stage: PingFailure.Stage) -> PingFailure.Reason {
        if let meaning = ServerError(mySQLCode: code) { return meaning.reason }
        return switch code {
        // Errors of the library.
        case 2006, 2013, 2055, 5013, 5014: .disconnected
        case 2026: .tls
        // The library does not support the login: an old password format, or a missing plugin.
        case 2049, 2059, 2061, 5010, 5012: .authentication
        case 2002, 2003: systemError?.reason(at: .connecting) ?? .unreachable
        case 2005: .unresolved
        // The library could not get a socket or memory.
        case 2001, 2004, 2008: .local
        case Self.tooLong.code where self == .tooLong: reason(ofQueryAt: stage) ?? .protocolViolation
        case 2007, 2012, 2014, 2020, 2027, 2054, 5005: .protocolViolation
        default: reason(ofQueryAt: stage) ?? .other
        }
    }

    private func reason(ofQueryAt stage: PingFailure.Stage) -> PingFailure.Reason? {
        switch stage {
        case .query: .query
        case .question: .unanswered
        default: nil
        }
    }

    /// The message for the operator, for example `1045: Access denied for user …`.
    var message: String {
        // After a lost connection, the number may belong to any earlier system call.
        let text = text.replacing(/, system error: [0-9]+$/, with: "")
        return code == 0 ? text : "\(code): \(text)"
    }
}
