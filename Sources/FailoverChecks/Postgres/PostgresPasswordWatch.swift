import FailoverCore

/// Reads the messages of a PostgreSQL server during the login of a ping, before libpq does. libpq would send the
/// password in any way that the server requests. See "Message Flow", "Start-up" in the PostgreSQL manual.
struct PostgresPasswordWatch {
    /// The meaning of the next bytes.
    enum Reading: Equatable {
        /// They request the password in this way; `nil` if they do not request it.
        case whole(asks: DatabaseServer.PasswordMethod?)
        /// They end within the head of a message. `needed` is the number of bytes that are needed, counted from the
        /// first one.
        case incomplete(needed: Int)
    }

    /// The number of bytes of the current message that have not been read.
    private var rest = 0
    /// Whether the server has accepted or refused the login, so that it can request nothing more.
    private(set) var isOver = false

    private static let headSize = 5
    /// The size of the type, length and kind of an authentication request.
    private static let requestSize = 9

    /// Reads the next bytes, which libpq is about to read.
    mutating func read(_ bytes: [UInt8]) -> Reading {
        var (index, asks) = (min(rest, bytes.count), DatabaseServer.PasswordMethod?.none)
        var (rest, isOver) = (rest - index, isOver)
        while index < bytes.count, !isOver {
            let isRequest = bytes[index] == UInt8(ascii: "R")
            let needed = index + (isRequest ? Self.requestSize : Self.headSize)
            // Any other message ends the login: an error, or a message that libpq does not expect.
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
    /// Whether the server may request the password in this way.
    func mayAsk(_ method: PasswordMethod) -> Bool {
        if let passwordMethods { return passwordMethods.contains(method) }
        if method == .scram { return true }
        // The other methods are allowed only if the identity of the server is verified.
        switch (endpoint, tls) {
        case (.unix, _), (_, .verifyCA), (_, .verifyFull): return true
        case (.tcp, .disable), (.tcp, .prefer), (.tcp, .require): return false
        }
    }
}

extension DatabaseServer {
    /// The failure message for a server that requests the password in a way that is not allowed.
    func refusal(of method: PasswordMethod) -> String {
        let message =
            switch method {
            case .scram: "by SCRAM"
            case .md5: "as an MD5 hash"
            case .cleartext: "in clear text"
            }
        let allow = "password_methods: [scram, \(method.rawValue)]"
        let question = "the server asks for the password \(message)"
        if passwordMethods != nil { return "\(question), which password_methods does not allow" }
        return
            "\(question), and its identity is not verified; the password was not sent. To fix this, use "
            + "password_encryption = scram-sha-256 and set the password again, or tls: verify-full, or \(allow)"
    }
}
