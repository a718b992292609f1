import FailoverCore
import FailoverSystem

/// An error of a MySQL or MariaDB server, or of the client library, and what it means.
///
/// Codes below 2000 and from 3000 to 4999 are servers', the rest are the library's.
struct MySQLError: Error, Equatable {
    private(set) var code: Int
    private(set) var text: String

    /// The answer to the query did not end in time.
    static let timedOut = MySQLError(code: 2013, text: "the answer does not end")
    /// What the server says is longer than in any ping.
    static let tooLong = MySQLError(code: 0, text: "the answer has more than 10000 rows or 1 MiB")

    /// The client library can't send a PROXY header first. The code is the library's own for what it lacks.
    static let noProxyHeader = MySQLError(
        code: 2008, text: "the client library can send no PROXY header (send_proxy): MariaDB's can")

    init(code: Int, text: String) {
        self.code = code
        self.text = text
        // A server that refuses before TLS: Connector/C wraps its error packet in one of its own.
        if code == 2002,
            let match = text.wholeMatch(of: /.* cannot be verified: ([0-9]{1,5}) - (.*)/.dotMatchesNewlines()),
            let inner = Int(match.1)
        {
            self.code = inner
            self.text = String(match.2)
        }
    }

    /// Whether the library could not connect, lost the connection or failed in TLS: what it also says when time is up.
    var isOfTheNetwork: Bool { [2002, 2003, 2006, 2012, 2013, 2026, 2055, 5013, 5014].contains(code) }

    /// Whether the user may not do what it asked for.
    var isOfPrivileges: Bool { [1142, 1143, 1227, 1370].contains(code) }

    /// Whether this comes from before the connection stood.
    var isOfConnecting: Bool { code == 2002 || code == 2003 }

    /// The kernel's error of a connect, which the library mentions as `(111)`.
    var systemError: SystemError? {
        guard isOfConnecting else { return nil }
        guard let match = text.firstMatch(of: /\(([0-9]{1,3})\)$/), let number = Int32(match.1),
            number > 0
        else { return nil }
        return SystemError(number)
    }

    /// What the error means at a stage of the ping.
    func reason(at stage: PingFailure.Stage) -> PingFailure.Reason {
        switch code {
        // No connection, memory or thread is left.
        case 1037, 1040, 1041, 1135: .tooManyConnections
        case 1203, 1226: .userLimit
        // A lock; a deadlock; cancelled; a time limit, MariaDB's and MySQL's.
        case 1205, 1213, 1317, 1969, 3024: .unanswered
        case 1129, 1130: .hostBlocked
        case 1053: .shuttingDown
        // Killed, or the server's own trouble with the network.
        case 1152...1161, 1184, 1927, 2006, 2013, 2055, 5013, 5014: .disconnected
        case 2026, 3159: .tls
        // Access, passwords, plugins: what the server does not accept, or this side does not send.
        case 1044, 1045, 1049, 1251, 1275, 1524, 1698, 1820, 1862, 2049, 2059, 2061, 3118, 3955, 4150, 4151, 5010, 5012:
            .authentication
        case _ where isOfPrivileges: .missingPrivilege
        case 2002, 2003: systemError?.reason(at: .connecting) ?? .unreachable
        case 2005: .unresolved
        // The library got no socket, or no memory.
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

    /// What people read: `1045: Access denied for user …`.
    var words: String {
        // The number after a lost connection may be of any earlier call.
        let text = text.replacing(/, system error: [0-9]+$/, with: "")
        return code == 0 ? text : "\(code): \(text)"
    }
}
