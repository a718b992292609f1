import FailoverCore

/// What a route with TLS of its own asks of its clients.
enum ClientEncryption: Equatable {
    /// Clients may also come in clear text.
    case offered
    case required
}

/// How the proxy encrypts its own connection to a server, on a route with TLS of its own.
enum ServerEncryption: Equatable {
    /// If the server offers TLS.
    case preferred
    case required

    /// Where the agreement with the current server stands.
    enum Progress: Equatable {
        /// The server has been sent the request.
        case asking
        /// The server has agreed, and the TLS handshake is in progress.
        case securing
        /// The connection is ready: within TLS, or in clear text if the server has none.
        case done
    }
}

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
        if heard.first == UInt8(ascii: "E") { return saidError() }
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
}
