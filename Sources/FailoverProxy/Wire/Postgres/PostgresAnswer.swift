import FailoverCore

/// How a server answered the StartupMessage of a client who speaks in clear, judged by what has arrived so far.
///
/// A server that asks for no proof of who the client is lets it in first and looks for a place afterwards: slots that
/// are kept back for others, a limit of the role or the database. So only ReadyForQuery says that it serves.
enum PostgresAnswer: Equatable {
    case incomplete
    /// It lets the client in without asking for a proof, and may still refuse.
    case letIn
    /// It takes the client's login, or says what is wrong with it: this is the client's own affair from now on.
    case proof
    /// It cannot serve the client now, and these are its words.
    case refusal(BackendErrorKind, String)

    /// An error is collected up to this size; a longer one is no refusal that we know.
    private static let longestError = 8192
    /// Bytes of an error without a length; it has fewer than 1000 (`report_fork_failure_to_client`).
    private static let longestText = 1024
    /// What comes before ReadyForQuery is collected up to this size.
    static let mostHeld = 65_536
    /// Type and length.
    private static let headSize = 5

    /// Reads the beginning of what a server sent.
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

    /// - Parameter bytes: begin with the type.
    private static func error(_ bytes: ArraySlice<UInt8>) -> PostgresAnswer {
        guard bytes.count >= headSize else { return .incomplete }
        if bytes.dropFirst().prefix(4).allSatisfy(isText) { return text(bytes.dropFirst()) }
        guard let length = length(of: bytes), length <= longestError else { return .proof }
        guard bytes.count > length else { return .incomplete }
        let body = bytes.dropFirst(headSize).prefix(length - 4)
        guard let error = PostgresErrorResponse(body: body), let kind = error.refusal else { return .proof }
        return .refusal(kind, "\(error.sqlState): \(error.message)")
    }

    /// An error of the old style, words up to a zero byte: the server can't start a process for the client.
    private static func text(_ bytes: ArraySlice<UInt8>) -> PostgresAnswer {
        let words = bytes.prefix(longestText).prefix { $0 != 0 }
        guard words.count < bytes.count || words.count == longestText else { return .incomplete }
        let line = words.last == UInt8(ascii: "\n") ? words.dropLast() : words
        return .refusal(.tooManyConnections, String(decoding: line, as: UTF8.self).asShortLine)
    }

    /// Whether a byte is none that the length of an error begins with.
    private static func isText(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7f && byte != 0xff }

    /// The length of a message, itself included; `nil` of a stream that is none of PostgreSQL's.
    private static func length(of bytes: ArraySlice<UInt8>) -> Int? {
        let length = bytes.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
        return length >= 4 ? length : nil
    }
}
