/// A login to a MySQL or MariaDB server, from the server's greeting to its result. It shows at each stage how the
/// connection can be ended without being counted as an error of the proxy's host.
///
///     greeting ──▶ greeted ── the client's first packet ──▶ server ◀──▶ client
///                     │                                        │ OK, ERR
///                     └───── the client goes on in TLS ────────┴──────────▶ over
///
/// If TLS ends at the proxy, the client goes on in TLS and remains `greeted`: its request is kept, and its first packet
/// within TLS is awaited.
///
/// The server counts a connection that ends during the login as an error of its host (`max_connect_errors`), unless the
/// server refuses the login. A login that it will refuse can be sent only when the server has not begun to read
/// something else. So only whole packets of the client pass: a partial packet waits here, and a TLS request waits until
/// the client's first TLS record follows.
struct MySQLLogin {
    enum Stage: Equatable {
        /// Waiting for the server's first packet.
        case greeting
        /// Waiting for the client's first packet.
        case greeted
        /// Waiting for the server.
        case server
        /// Waiting for the client. The payload is the sequence number of its packet and the number of bytes that the
        /// server requires in it.
        case client(sequence: UInt8, size: Int)
        /// The login has ended, or it can no longer be read.
        case over
    }

    private(set) var stage = Stage.greeting
    private var server = MySQLPacketStream()
    /// The client's bytes that have not passed.
    private var held: [UInt8] = []
    /// Whether a TLS request waits for the client's first TLS record.
    var holdsTLSRequest = true
    /// TLS that ends at the proxy; `nil` if it passes through.
    var termination: MySQLTermination?
    /// Whether the server has sent something before it was asked, where TLS ends at the proxy.
    private(set) var isViolated = false

    /// The maximum number of the client's bytes held; real login packets have less than 1000.
    private static let mostHeld = 16_384
    /// The body size of the packet with which a client requests TLS.
    private static let tlsRequestSize = 32
    private static let tlsHandshake: UInt8 = 0x16
    private static let tlsHeaderSize = 5

    /// Whether the login needs no further tracking.
    var isOver: Bool { stage == .over }

    /// Bytes of memory beyond the value itself.
    var heldBytes: Int { held.capacity + server.heldBytes }

    /// The refused login that ends the connection at this stage; `nil` if the connection can simply be closed.
    var refusedLogin: MySQLRefusedLogin? {
        isOver ? nil : MySQLRefusedLogin(at: stage, server: server)
    }

    /// The server has sent these bytes.
    mutating func serverSent(_ bytes: UnsafeRawBufferPointer) {
        var bytes = bytes
        if stage == .greeted, termination?.forbidsServer == true, !bytes.isEmpty { isViolated = true }
        while !isOver, let event = server.next(&bytes) {
            if stage == .greeted, termination?.forbidsServer == true { isViolated = true }
            switch event {
            case .message(let packet): stage = Self.stage(after: stage, packet)
            case .continuation: continue
            case .outOfOrder: stage = .over
            }
        }
    }

    /// The stage after a packet of the server.
    static func stage(after stage: Stage, _ packet: MySQLPacket) -> Stage {
        switch stage {
        case .greeting: return packet.header == 10 ? .greeted : .over
        // The server aborts the login.
        case .greeted, .over: return .over
        case .server, .client:
            switch packet.header {
            case MySQLPacket.ok, MySQLPacket.error, nil: return .over
            // caching_sha2_password found the client in its cache; OK follows.
            case 1 where packet.length == 2 && packet.uint8(at: 1) == 3: return .server
            default: return .client(sequence: packet.sequence &+ 1, size: packet.asksForSignature ? 64 : 0)
            }
        }
    }

    /// The client has sent these bytes.
    ///
    /// - Returns: the bytes that may pass.
    mutating func clientSent(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        held += bytes
        var passed = 0
        while !isOver, let size = wholePacket(from: passed) {
            if stage == .greeted || stage == .greeting, waitsForTLS(size) { return [] }
            if case .greeted = stage, isTLSRequest(at: passed, size: size) {
                guard !holdsTLSRequest || hasTLSRecord(from: passed + size) else { break }
                stage = .over
            } else if stage != .greeting {
                stage = .server
            }
            passed += size
        }
        if !isOver, held.count - passed > Self.mostHeld, termination?.forbidsServer == true {
            termination?.refuseFirstPacket()
            held = []
            return []
        }
        if isOver || held.count - passed > Self.mostHeld {
            stage = .over
            return release()
        }
        defer { held = passed == 0 ? held : Array(held[passed...]) }
        return Array(held[..<passed])
    }

    /// Takes the client's bytes that have not passed.
    mutating func release() -> [UInt8] {
        defer { held = [] }
        return held
    }

    /// Whether TLS must begin, at the proxy, before the client's first packet may pass.
    private mutating func waitsForTLS(_ size: Int) -> Bool {
        guard var termination else { return false }
        defer { self.termination = termination }
        let isRequest = isTLSRequest(at: 0, size: size)
        // A server would answer a request out of order in clear text.
        if isRequest, held[3] != 1, termination.request.isEmpty {
            termination.refuseFirstPacket()
            return true
        }
        guard termination.clientSent(isRequest ? held.prefix(size) : nil) else { return false }
        if isRequest { held.removeFirst(size) }
        return true
    }

    /// The size of the packet at `start`; `nil` until it is complete.
    private func wholePacket(from start: Int) -> Int? {
        guard held.count - start >= MySQLPacket.headerSize else { return nil }
        let length = Int(held[start]) | Int(held[start + 1]) << 8 | Int(held[start + 2]) << 16
        let size = MySQLPacket.headerSize + length
        return held.count - start >= size ? size : nil
    }

    private func isTLSRequest(at start: Int, size: Int) -> Bool {
        guard size == MySQLPacket.headerSize + Self.tlsRequestSize,
            let packet = held[start..<(start + size)].withUnsafeBytes({ MySQLPacket($0) })
        else { return false }
        return MySQLCapabilities(handshake: packet).contains(.tls)
    }

    /// Whether a whole TLS record has arrived, or something that cannot be one.
    private func hasTLSRecord(from start: Int) -> Bool {
        guard held.count > start else { return false }
        guard held[start] == Self.tlsHandshake else { return true }
        guard held.count - start >= Self.tlsHeaderSize else { return false }
        return held.count - start >= Self.tlsHeaderSize + (Int(held[start + 3]) << 8 | Int(held[start + 4]))
    }
}

extension MySQLPacket {
    /// Whether the server switches to a method where it treats any answer except one of 64 bytes as a broken
    /// connection.
    fileprivate var asksForSignature: Bool {
        let name = Array("client_ed25519\u{0}".utf8)
        return header == Self.eof && name.indices.allSatisfy { uint8(at: $0 + 1) == name[$0] }
    }
}
