import FailoverCore

/// TLS that ends at the proxy: the proxy answers the client's request itself, and sends one of its own to the server.
/// PostgreSQL's documentation, chapter "SSL Session Encryption".
extension PostgresHandshake {
    /// `SSLRequest`.
    static let sslRequest: [UInt8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]
    private static let yes = UInt8(ascii: "S")

    /// Why a client in clear text is refused.
    private static let whyClear = Refusal(kind: .unencrypted, message: "this route serves encrypted connections only")

    /// The client's first message, where TLS ends at the proxy.
    ///
    /// - Returns: `nil` if the message is handled as everywhere.
    mutating func terminate(_ message: PostgresFirstMessage, _ encryption: ClientEncryption) -> HandshakeStep? {
        switch message {
        case .gssRequest where !isClientSecured:
            incoming.removeFirst(PostgresFirstMessage.requestLength)
            return .tellClient([Self.no])
        case .sslRequest where !isClientSecured:
            // Bytes after the request could be mistaken for decrypted ones; CVE-2021-23214.
            guard incoming.count == PostgresFirstMessage.requestLength else {
                return .leave("the client sent bytes between its request and the answer")
            }
            incoming = []
            return .secureClient(answer: [Self.yes], received: [])
        case .directTLS where !isClientSecured:
            defer { incoming = [] }
            return .secureClient(answer: [], received: incoming)
        case .gssRequest, .sslRequest, .directTLS: return .leave("the client requested encryption within TLS")
        case .startup where encryption == .required && !isClientSecured:
            return .closingMessage((refusal ?? Self.whyClear).postgresMessage)
        case .startup, .cancel, .incomplete, .malformed: return nil
        }
    }

    mutating func secured(_ side: Side) -> HandshakeStep {
        switch side {
        case .client:
            isClientSecured = true
            return readMessage()
        case .backend:
            guard progress == .securing else { return .leave("unexpected TLS") }
            progress = .done
            return giveKept()
        }
    }

    /// The server's answer to the proxy's request: one byte, or an error of a server that cannot start a process.
    mutating func agreed(_ encryption: ServerEncryption) -> HandshakeStep {
        if heard.first == UInt8(ascii: "E") { return encryption == .preferred ? saidError() : saidErrorInClear() }
        // Bytes after the answer could be mistaken for decrypted ones; CVE-2021-23222.
        guard progress == .asking, heard.count == 1 else {
            return .failed(.malformed("no answer to a request for encryption"))
        }
        defer { heard = [] }
        switch heard[0] {
        case Self.yes:
            progress = .securing
            return .secureServer
        case Self.no where encryption == .preferred:
            progress = .done
            return giveKept()
        case Self.no: return .failed(.encryption("the server offers no TLS"))
        default: return .failed(.malformed("no answer to a request for encryption"))
        }
    }

    /// Someone on the way to the server may have written the text of this error, so the client does not get it;
    /// CVE-2024-10977.
    private func saidErrorInClear() -> HandshakeStep {
        let step = saidError()
        guard case .failed(.refused(let kind, _)) = step else { return step }
        return .failed(.refused(kind, "the server refuses the session before TLS begins"))
    }

    /// The server can serve. A client in clear text is not offered a login that is bound to TLS, which the proxy's
    /// connection to the server offers: libpq would refuse it.
    func proven() -> HandshakeStep {
        guard encryption != nil, !isClientSecured else { return .proven(heard) }
        return Self.withoutChannelBinding(heard).map { .proven($0) } ?? .awaitBackend(sending: [])
    }

    private static let channelBound = Array("SCRAM-SHA-256-PLUS".utf8)
    /// The longest list of login methods that is changed.
    private static let longestList = 1024

    /// The server's first message; if it is AuthenticationSASL, then without the method that is bound to TLS.
    ///
    /// - Returns: `nil` while the message is incomplete.
    static func withoutChannelBinding(_ bytes: [UInt8]) -> [UInt8]? {
        // Type, length, the code 10, the methods; each ends with a zero byte, and so does the list.
        let codeEnd = 9
        guard bytes.count >= codeEnd else { return bytes.first == UInt8(ascii: "R") ? nil : bytes }
        let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard bytes[0] == UInt8(ascii: "R"), bytes[5..<codeEnd].elementsEqual([0, 0, 0, 10]),
            (codeEnd...longestList).contains(length)
        else { return bytes }
        guard bytes.count > length else { return nil }
        let methods = bytes[codeEnd...length].split(separator: 0).filter { !$0.elementsEqual(channelBound) }
        var list: [UInt8] = []
        for method in methods { list += method + [0] }
        list.append(0)
        let newLength = codeEnd - 1 + list.count
        let head: [UInt8] = [bytes[0], 0, 0, UInt8(newLength >> 8), UInt8(newLength & 0xff), 0, 0, 0, 10]
        return head + list + bytes[(length + 1)...]
    }
}
