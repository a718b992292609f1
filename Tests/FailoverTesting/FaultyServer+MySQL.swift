/// The few MySQL packets that scripts need.
extension FaultyServerConnection {
    /// The bytes of a packet.
    public static func mysqlPacket(_ sequence: UInt8, _ body: [UInt8]) -> [UInt8] {
        [UInt8(body.count & 0xff), UInt8(body.count >> 8 & 0xff), UInt8(body.count >> 16), sequence] + body
    }

    /// The bytes of a greeting as a server of version 8 or 10 sends it, for `mysql_native_password`.
    ///
    /// - Parameter offersTLS: whether the capability bit of TLS is set.
    public static func mysqlGreeting(
        offersTLS: Bool = false, plugin: String = "mysql_native_password", version: String = "8.0.99-faulty"
    ) -> [UInt8] {
        let low: UInt16 = 0xa2bd & ~0x0820 | (offersTLS ? 0x0800 : 0)
        var body: [UInt8] = [10] + Array("\(version)\u{0}".utf8) + [1, 0, 0, 0] + Array("abcdefgh".utf8) + [0]
        body += [UInt8(low & 0xff), UInt8(low >> 8), 45, 2, 0]
        // Plugin authentication, length-encoded authentication data, connection attributes.
        body += [0x38, 0x00, 21] + [UInt8](repeating: 0, count: 10)
        body += Array("ijklmnopqrst\u{0}".utf8) + Array(plugin.utf8) + [0]
        return mysqlPacket(0, body)
    }

    /// Reads one packet's body; `nil` if the client has disconnected.
    public func receiveMySQLPacket() -> [UInt8]? {
        guard let header = receive(exactly: 4) else { return nil }
        let length = Int(header[0]) | Int(header[1]) << 8 | Int(header[2]) << 16
        return length == 0 ? [] : receive(exactly: length)
    }

    /// Sends an error packet. Before the handshake it contains no SQLSTATE.
    public func sendMySQLError(_ code: UInt16, _ message: String, sequence: UInt8 = 0, sqlState: String? = nil) {
        let state = sqlState.map { Array("#\($0)".utf8) } ?? []
        send(Self.mysqlPacket(sequence, [0xff, UInt8(code & 0xff), UInt8(code >> 8)] + state + Array(message.utf8)))
    }

    /// Greets the client and accepts any login; false if the client has disconnected.
    public func acceptMySQLLogin() -> Bool {
        send(Self.mysqlGreeting())
        guard receiveMySQLPacket() != nil else { return false }
        sendMySQLOK(sequence: 2)
        return true
    }

    public func sendMySQLOK(sequence: UInt8) {
        send(Self.mysqlPacket(sequence, [0, 0, 0, 2, 0, 0, 0]))
    }

    /// The start of the answer to `SELECT 1`: one column and its definition, no row.
    public func sendMySQLColumns() {
        send(Self.mysqlPacket(1, [1]))
        let definition: [UInt8] =
            [3] + Array("def".utf8) + [0, 0, 0, 1] + Array("1".utf8) + [0, 12, 63, 0, 1, 0, 0, 0, 8, 1, 0, 0, 0, 0]
        send(Self.mysqlPacket(2, definition))
        send(Self.mysqlPacket(3, [0xfe, 0, 0, 2, 0]))
    }

    /// The row of the answer, and its end.
    public func sendMySQLRow() {
        send(Self.mysqlPacket(4, [1] + Array("1".utf8)))
        send(Self.mysqlPacket(5, [0xfe, 0, 0, 2, 0]))
    }
}

extension FaultyServerConnection {
    /// A correct server. It accepts every login and answers each query with the state of the transaction, which
    /// `begin` and `commit` change, until the client disconnects.
    public func serveMySQL() {
        if acceptMySQLLogin() { answerMySQLQueries() }
    }

    /// Answers each query with the state of the transaction until the client disconnects.
    func answerMySQLQueries() {
        var status: UInt8 = 2
        while let body = receiveMySQLPacket(), body.first == 3 {
            switch String(decoding: body.dropFirst(), as: UTF8.self) {
            case "begin": status = 3
            case "commit": status = 2
            default: break
            }
            send(Self.mysqlPacket(1, [0, 0, 0, status, 0, 0, 0]))
        }
    }
}
