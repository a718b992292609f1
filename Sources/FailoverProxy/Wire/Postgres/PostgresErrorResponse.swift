import FailoverCore

/// An ErrorResponse, read from a server or sent by the proxy; chapter "Error and Notice Message Fields".
struct PostgresErrorResponse: Equatable {
    var sqlState: String
    var message: String
    var hint: String?

    init(sqlState: String, message: String, hint: String? = nil) {
        self.sqlState = sqlState
        self.message = message
        self.hint = hint
    }

    /// Reads the body of a message, without its type and length; `nil` if it has no SQLSTATE.
    init?(body: some Sequence<UInt8>) {
        var fields: [UInt8: String] = [:]
        var bytes = body.makeIterator()
        while let type = bytes.next(), type != 0 {
            var text: [UInt8] = []
            while let byte = bytes.next(), byte != 0 { text.append(byte) }
            fields[type] = String(decoding: text, as: UTF8.self)
        }
        guard let sqlState = fields[UInt8(ascii: "C")] else { return nil }
        self.init(
            sqlState: sqlState, message: (fields[UInt8(ascii: "M")] ?? "").asOneLine(atMost: 200),
            hint: fields[UInt8(ascii: "H")])
    }

    /// Whether the server has no room for the session: class 53, "Insufficient Resources", such as 53300 too many
    /// connections and 53200 out of memory, or PgBouncer's error with the same meaning.
    var isForLackOfRoom: Bool { ServerError(sqlState: sqlState) == .full || poolerRefusal == .full }

    /// The meaning of the error if PgBouncer sent it.
    var poolerRefusal: PoolerRefusal? { sqlState == PoolerRefusal.sqlState ? PoolerRefusal(message: message) : nil }

    /// The whole message, with severity FATAL: the session ends after it.
    var bytes: [UInt8] {
        var body: [UInt8] = []
        func append(_ type: Unicode.Scalar, _ text: String) {
            body.append(UInt8(ascii: type))
            body += text.utf8.filter { $0 != 0 }
            body.append(0)
        }
        append("S", "FATAL")
        append("V", "FATAL")
        append("C", sqlState)
        append("M", message)
        if let hint { append("H", hint) }
        body.append(0)
        let length = UInt32(body.count + 4)
        return [UInt8(ascii: "E")] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + body
    }
}

extension PostgresErrorResponse {
    /// What a refusal with this code says about the server; `nil` for errors that concern the client only.
    var refusal: BackendErrorKind? {
        ServerError(sqlState: sqlState)?.kind ?? poolerRefusal?.kind
    }
}
