import FailoverCore

/// Reads what a PostgreSQL server says while a ping logs in, before libpq does, which answers whatever way of giving the
/// password it is asked for; chapter "Message Flow", "Start-up".
struct PostgresPasswordWatch {
    /// What the next bytes are.
    enum Reading: Equatable {
        /// They ask for the password in this way, or not at all.
        case whole(asks: DatabaseServer.PasswordMethod?)
        /// They end within the head of a message; so many bytes are needed from the first of them on.
        case incomplete(needed: Int)
    }

    /// Bytes of the present message that are still to come.
    private var rest = 0
    /// The server has let the ping in, or refused it, and can ask no more.
    private(set) var isOver = false

    private static let headSize = 5
    /// Type, length and kind of a request for authentication.
    private static let requestSize = 9

    /// The next bytes, which libpq is about to read.
    mutating func read(_ bytes: [UInt8]) -> Reading {
        var (index, asks) = (min(rest, bytes.count), DatabaseServer.PasswordMethod?.none)
        var (rest, isOver) = (rest - index, isOver)
        while index < bytes.count, !isOver {
            let isRequest = bytes[index] == UInt8(ascii: "R")
            let needed = index + (isRequest ? Self.requestSize : Self.headSize)
            // What libpq does not expect ends the login.
            guard isRequest || bytes[index] == UInt8(ascii: "v") else {
                isOver = true
                break
            }
            guard bytes.count >= needed else { return .incomplete(needed: needed) }
            let length = Self.number(bytes, at: index + 1)
            guard length >= (isRequest ? 8 : 4) else {
                isOver = true
                break
            }
            if isRequest {
                switch Self.number(bytes, at: index + Self.headSize) {
                case 0: isOver = true
                case 3: asks = .cleartext
                case 5 where asks != .cleartext: asks = .md5
                case 10 where asks == nil: asks = .scram
                default: break
                }
            }
            let end = index + 1 + length
            rest = max(0, end - bytes.count)
            index = min(end, bytes.count)
        }
        (self.rest, self.isOver) = (rest, isOver)
        return .whole(asks: asks)
    }

    private static func number(_ bytes: [UInt8], at index: Int) -> Int {
        Int(bytes[index]) << 24 | Int(bytes[index + 1]) << 16 | Int(bytes[index + 2]) << 8 | Int(bytes[index + 3])
    }
}

extension DatabaseServer {
    /// Whether the server may be given the password in this way.
    func mayAsk(_ method: PasswordMethod) -> Bool {
        if let passwordMethods { return passwordMethods.contains(method) }
        if method == .scram { return true }
        // It is known who asks.
        switch (endpoint, tls) {
        case (.unix, _), (_, .verifyCA), (_, .verifyFull): return true
        case (.tcp, .disable), (.tcp, .prefer), (.tcp, .require): return false
        }
    }
}

extension DatabaseServer {
    /// What is said of a server that asks for the password in a way that it may not.
    func refusal(of method: PasswordMethod) -> String {
        let words =
            switch method {
            case .scram: "by SCRAM"
            case .md5: "as an MD5 hash"
            case .cleartext: "in clear text"
            }
        let allow = "password_methods: [scram, \(method.rawValue)]"
        let question = "the server asks for the password \(words)"
        if passwordMethods != nil { return "\(question), which password_methods does not allow" }
        return
            "\(question), and it is not known who asks; it was not told. What helps: "
            + "password_encryption = scram-sha-256 and the password set anew, or tls: verify-full, or \(allow)"
    }
}
