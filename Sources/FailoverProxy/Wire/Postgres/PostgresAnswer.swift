/// How a server answered the StartupMessage of a client who speaks in clear, judged by what has arrived so far.
enum PostgresAnswer: Equatable {
    case incomplete
    /// It takes the client's login, or says what is wrong with it: this is the client's own affair from now on.
    case proof
    /// It cannot serve anybody now.
    case refusal(PostgresErrorResponse)

    /// An error is collected up to this size; a longer one is no refusal that we know.
    private static let longestError = 8192

    /// Reads the beginning of what a server sent.
    init(_ bytes: [UInt8]) {
        guard let type = bytes.first else {
            self = .incomplete
            return
        }
        guard type == UInt8(ascii: "E") else {
            self = .proof
            return
        }
        guard bytes.count >= 5 else {
            self = .incomplete
            return
        }
        let length = bytes[1...4].reduce(0) { $0 << 8 | Int($1) }
        // The length counts itself; without a body there is no SQLSTATE.
        guard (5...Self.longestError).contains(length) else {
            self = .proof
            return
        }
        guard bytes.count > length else {
            self = .incomplete
            return
        }
        guard let error = PostgresErrorResponse(body: bytes[5...length]), error.refusal != nil else {
            self = .proof
            return
        }
        self = .refusal(error)
    }
}
