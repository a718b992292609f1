import FailoverCore

/// A server's answer to ``PostgresState/question``.
struct PostgresStateAnswer {
    private(set) var state = PostgresState()

    /// Takes the body of a DataRow.
    ///
    /// - Parameter user: the user of the login.
    /// - Returns: false if it is no row of this answer.
    mutating func take(row body: ArraySlice<UInt8>, user: String) -> Bool {
        guard let row = Self.texts(of: body) else { return false }
        return state.take(row, user: user)
    }

    /// The values of a DataRow, of which none is null; `nil` if the body is not one.
    private static func texts(of body: ArraySlice<UInt8>) -> [String]? {
        guard body.count >= 2 else { return nil }
        let count = Int(body[body.startIndex]) << 8 | Int(body[body.startIndex + 1])
        var rest = body.dropFirst(2)
        var texts: [String] = []
        for _ in 0..<count {
            guard rest.count >= 4 else { return nil }
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count else { return nil }
            // Others depend on client_encoding.
            guard rest.prefix(length).allSatisfy({ $0 < 0x80 }) else { return nil }
            texts.append(String(decoding: rest.prefix(length), as: UTF8.self))
            rest = rest.dropFirst(length)
        }
        return rest.isEmpty ? texts : nil
    }
}

/// Asks a session's server for its state, at a transaction boundary, while the client waits.
struct PostgresStateQuestion {
    enum Outcome: Equatable {
        case known(PostgresState)
        /// The server does not tell it, and goes on.
        case refused(String)
        /// What the server sends is no answer. The session cannot go on with it.
        case broken
    }

    private let user: String
    private var answer = PostgresStateAnswer()
    private var error: String?
    private var heard: [UInt8] = []

    private static let longest = 65_536
    private static let headSize = 5
    static let bytes = PostgresQuery.bytes(PostgresState.question)

    init(user: String) { self.user = user }

    /// The server has sent these bytes.
    ///
    /// - Returns: the outcome once the answer is complete, and what the client must get: parameters and notifications
    ///   that came in between.
    mutating func serverSent(_ bytes: [UInt8]) -> (outcome: Outcome?, toClient: [UInt8]) {
        heard += bytes
        var index = 0
        var toClient: [UInt8] = []
        defer { heard.removeFirst(min(index, heard.count)) }
        while heard.count - index >= Self.headSize {
            let length = PostgresFirstMessage.number(heard, at: index + 1)
            guard (4...Self.longest).contains(length) else { return (.broken, toClient) }
            guard heard.count - index > length else { break }
            let body = heard[(index + Self.headSize)..<(index + 1 + length)]
            let type = heard[index]
            let message = heard[index..<(index + 1 + length)]
            index += 1 + length
            switch type {
            // RowDescription, CommandComplete, NoticeResponse
            case UInt8(ascii: "T"), UInt8(ascii: "C"), UInt8(ascii: "N"): break
            case UInt8(ascii: "S"), UInt8(ascii: "A"): toClient += message
            case UInt8(ascii: "D"):
                if !answer.take(row: body, user: user) { error = "it is not the expected answer" }
            case UInt8(ascii: "E"):
                error = PostgresErrorResponse(body: body).map { "\($0.sqlState): \($0.message)" } ?? "an error"
            case UInt8(ascii: "Z") where index == heard.count && body.elementsEqual([UInt8(ascii: "I")]):
                return (error.map { .refused($0) } ?? .known(answer.state), toClient)
            default: return (.broken, toClient)
            }
        }
        return (nil, toClient)
    }
}

/// A message with a statement of the proxy's own; chapter "Simple Query".
enum PostgresQuery {
    static func bytes(_ statement: String) -> [UInt8] { message(UInt8(ascii: "Q"), statement.utf8 + [0]) }

    static func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        let length = UInt32(clamping: body.count + 4)
        return [type] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + body
    }
}
