import FailoverCore

/// A server's answer to the StartupMessage of a clear-text client, according to the bytes that have arrived so far.
///
/// A server that requires no authentication accepts the client first. It checks afterwards whether there is a free
/// slot: reserved slots, limits of the role or the database. So only ReadyForQuery proves that it serves the client.
enum PostgresAnswer: Equatable {
    case incomplete
    /// The server accepts the client without authentication, but may still refuse it.
    case letIn
    /// The server accepts the client's login or rejects it for a reason that concerns the client only.
    case proof
    /// The server cannot serve the client now. The payload is its error.
    case refusal(BackendErrorKind, String)

    /// The maximum size of an error to collect. A longer one is not a known refusal.
    private static let longestError = 8192
    /// The maximum size of an error without a length. Real ones have less than 1000 bytes
    /// (`report_fork_failure_to_client`).
    private static let longestText = 1024
    /// The maximum size of what is collected before ReadyForQuery.
    static let mostHeld = 65_536
    /// Type and length.
    private static let headSize = 5

    /// Reads the beginning of a server's answer.
    init(_ bytes: [UInt8]) {
        self =
            switch bytes.first {
            case nil: .incomplete
            case UInt8(ascii: "E"): Self.error(bytes[...])
            case UInt8(ascii: "R"): Self.authentication(bytes)
            default: .proof
            }
    }

    private static func authentication(_ bytes: [UInt8]) -> PostgresAnswer {
        let ok: [UInt8] = [UInt8(ascii: "R"), 0, 0, 0, 8, 0, 0, 0, 0]
        guard bytes.count >= ok.count else { return ok.starts(with: bytes) ? .incomplete : .proof }
        guard bytes.starts(with: ok), bytes.count <= mostHeld else { return .proof }
        var rest = bytes[ok.count...]
        while rest.count >= headSize {
            switch rest.first {
            case UInt8(ascii: "Z"): return .proof
            case UInt8(ascii: "E"):
                let answer = error(rest)
                return answer == .incomplete ? .letIn : answer
            default: break
            }
            guard let length = length(of: rest) else { return .proof }
            rest = rest.dropFirst(1 + length)
        }
        return .letIn
    }

    /// - Parameter bytes: a message, beginning with its type.
    private static func error(_ bytes: ArraySlice<UInt8>) -> PostgresAnswer {
        guard bytes.count >= headSize else { return .incomplete }
        if bytes.dropFirst().prefix(4).allSatisfy(isText) { return text(bytes.dropFirst()) }
        guard let length = length(of: bytes), length <= longestError else { return .proof }
        guard bytes.count > length else { return .incomplete }
        let body = bytes.dropFirst(headSize).prefix(length - 4)
        guard let error = PostgresErrorResponse(body: body), let kind = error.refusal else { return .proof }
        return .refusal(kind, "\(error.sqlState): \(error.message)")
    }

    /// An error in the old format, text up to a zero byte: the server cannot start a process for the client.
    private static func text(_ bytes: ArraySlice<UInt8>) -> PostgresAnswer {
        let message = bytes.prefix(longestText).prefix { $0 != 0 }
        guard message.count < bytes.count || message.count == longestText else { return .incomplete }
        let line = message.last == UInt8(ascii: "\n") ? message.dropLast() : message
        return .refusal(.tooManyConnections, String(decoding: line, as: UTF8.self).asOneLine(atMost: 200))
    }

    /// Whether a byte is text. The length of an error does not begin with such a byte.
    private static func isText(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7f && byte != 0xff }

    /// The length of a message, including itself; `nil` if the stream is not PostgreSQL's.
    private static func length(of bytes: ArraySlice<UInt8>) -> Int? {
        let length = bytes.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
        return length >= 4 ? length : nil
    }
}
