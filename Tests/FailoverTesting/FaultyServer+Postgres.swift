/// The few PostgreSQL messages that scripts need.
extension FaultyServerConnection {
    /// Reads the client's startup message, after refusing TLS; false if the client has disconnected.
    @discardableResult
    public func receivePostgresStartup() -> Bool {
        while let length = receive(exactly: 4), let body = receive(exactly: Int(length[3]) + Int(length[2]) << 8 - 4) {
            // SSLRequest is 80877103, GSSENCRequest 80877104.
            guard body.prefix(3) == [0x04, 0xd2, 0x16] else { return true }
            send([UInt8(ascii: "N")])
        }
        return false
    }

    /// Sends a message.
    public func sendPostgres(_ type: Character, _ body: [UInt8]) {
        send(Self.postgresMessage(type, body))
    }

    /// Sends an ErrorResponse.
    public func sendPostgresError(_ code: String, _ message: String, severity: String = "FATAL") {
        let fields = [("S", severity), ("V", severity), ("C", code), ("M", message)]
        sendPostgres("E", fields.flatMap { Array($0.utf8) + Array($1.utf8) + [0] } + [0])
    }

    /// Accepts the client without a password.
    public func sendPostgresWelcome() {
        sendPostgres("R", [0, 0, 0, 0])
        sendPostgres("S", Array("server_version\u{0}15.0\u{0}".utf8))
        sendPostgres("K", [0, 0, 0, 1, 0, 0, 0, 2])
        sendPostgres("Z", Array("I".utf8))
    }

    /// Answers `SELECT 1` with one row.
    public func sendPostgresRow() {
        sendPostgres(
            "T", [0, 1] + Array("a\u{0}".utf8) + [0, 0, 0, 0, 0, 0, 0, 0, 0, 23, 0, 4, 255, 255, 255, 255, 0, 0])
        sendPostgres("D", [0, 1, 0, 0, 0, 1] + Array("1".utf8))
    }

    /// Answers with a row of texts; `nil` is NULL.
    public func sendPostgresRow(_ values: [String?]) { sendPostgresRows([values]) }

    /// Answers with rows of texts, which have the same number of columns.
    public func sendPostgresRows(_ rows: [[String?]]) {
        func short(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }
        let column = Array("a\u{0}".utf8) + [0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 0]
        let columns = rows.first ?? []
        sendPostgres("T", short(columns.count) + columns.flatMap { _ in column })
        for values in rows {
            let fields = values.map { value in
                value.map { [0, 0] + short($0.utf8.count) + Array($0.utf8) } ?? [255, 255, 255, 255]
            }
            sendPostgres("D", short(values.count) + fields.flatMap(\.self))
        }
    }

    /// Ends the answer to `SELECT 1`.
    public func sendPostgresEnd() {
        sendPostgres("C", Array("SELECT 1\u{0}".utf8))
        sendPostgres("Z", Array("I".utf8))
    }

    /// The bytes of a message.
    public static func postgresMessage(_ type: Character, _ body: [UInt8]) -> [UInt8] {
        Array(String(type).utf8) + withUnsafeBytes(of: UInt32(body.count + 4).bigEndian) { Array($0) } + body
    }
}

extension FaultyServerConnection {
    /// A correct server. It accepts every login and answers each query only with the state of the transaction, which
    /// `begin` and `commit` change, until the client disconnects.
    public func servePostgres() {
        guard receivePostgresStartup() else { return }
        sendPostgresWelcome()
        var state = "I"
        while let head = receive(exactly: 5),
            let body = receive(exactly: head[1...].reduce(0) { $0 << 8 | Int($1) } - 4)
        {
            guard head[0] == UInt8(ascii: "Q") else { return }
            switch String(decoding: body.dropLast(), as: UTF8.self) {
            case "begin": state = "T"
            case "commit": state = "I"
            default: break
            }
            sendPostgres("C", Array("OK\u{0}".utf8))
            sendPostgres("Z", Array(state.utf8))
        }
    }
}
