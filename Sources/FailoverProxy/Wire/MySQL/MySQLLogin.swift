/// A login at a MySQL or MariaDB server, from the server's greeting to its answer: knows at each moment how the server can
/// be left so that it counts nothing against the proxy.
///
///     greeting ──▶ greeted ── the client's first packet ──▶ server ◀──▶ client
///                     │                                        │ OK, ERR
///                     └───── the client goes on in TLS ────────┴──────────▶ over
///
/// Whoever goes in between is counted against its host (`max_connect_errors`). A server can be left by a login that it
/// refuses only where it has not begun to read something else, so the client's packets pass as wholes: a part of one waits
/// here, and so does a request for TLS until the client's first TLS record follows.
struct MySQLLogin {
    enum Stage: Equatable {
        /// The server's first packet is awaited.
        case greeting
        /// The client's first packet is awaited.
        case greeted
        /// It is the server's turn.
        case server
        /// It is the client's turn: the number of its packet, and how many bytes the server needs to see in it.
        case client(sequence: UInt8, size: Int)
        /// The server has answered, or the login can't be read any more.
        case over
    }

    private(set) var stage = Stage.greeting
    private var server = MySQLPacketStream()
    /// Of the client, and not yet a whole packet.
    private var held: [UInt8] = []
    /// Whether a request for TLS waits for the client's first TLS record.
    var holdsTLSRequest = true

    /// Bytes of the client's that are held at most; real packets of a login have less than 1000.
    private static let mostHeld = 16_384
    /// Bytes of the packet by which a client asks for TLS.
    private static let tlsRequestSize = 32
    private static let tlsHandshake: UInt8 = 0x16
    private static let tlsHeaderSize = 5

    /// Whether there is nothing more to watch over.
    var isOver: Bool { stage == .over }

    /// Bytes of memory beyond the value itself.
    var heldBytes: Int { held.capacity + server.heldBytes }

    /// How the server is left now; `nil` where it is left by closing.
    var refusedLogin: MySQLRefusedLogin? {
        isOver ? nil : MySQLRefusedLogin(at: stage, server: server)
    }

    /// The server's next bytes.
    mutating func serverSent(_ bytes: UnsafeRawBufferPointer) {
        var bytes = bytes
        while !isOver, let event = server.next(&bytes) {
            switch event {
            case .message(let packet): stage = Self.stage(after: stage, packet)
            case .continuation: continue
            case .outOfOrder: stage = .over
            }
        }
    }

    /// What follows from a packet of the server.
    static func stage(after stage: Stage, _ packet: MySQLPacket) -> Stage {
        switch stage {
        case .greeting: return packet.header == 10 ? .greeted : .over
        // It breaks the login off.
        case .greeted, .over: return .over
        case .server, .client:
            switch packet.header {
            case MySQLPacket.ok, MySQLPacket.error, nil: return .over
            // caching_sha2_password says that it knows the client; OK follows.
            case 1 where packet.length == 2 && packet.uint8(at: 1) == 3: return .server
            default: return .client(sequence: packet.sequence &+ 1, size: packet.asksForSignature ? 64 : 0)
            }
        }
    }

    /// The client's next bytes.
    ///
    /// - Returns: what may pass on.
    mutating func clientSent(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        held += bytes
        var passed = 0
        while !isOver, let size = wholePacket(from: passed) {
            if case .greeted = stage, isTLSRequest(at: passed, size: size) {
                guard !holdsTLSRequest || hasTLSRecord(from: passed + size) else { break }
                stage = .over
            } else if stage != .greeting {
                stage = .server
            }
            passed += size
        }
        if isOver || held.count - passed > Self.mostHeld {
            stage = .over
            return release()
        }
        defer { held = passed == 0 ? held : Array(held[passed...]) }
        return Array(held[..<passed])
    }

    /// What the client has sent and has not passed on; forgets it.
    mutating func release() -> [UInt8] {
        defer { held = [] }
        return held
    }

    /// The size of the packet that begins there, once all of it has come.
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

    /// Whether a whole TLS record has come, or something that never becomes one.
    private func hasTLSRecord(from start: Int) -> Bool {
        guard held.count > start else { return false }
        guard held[start] == Self.tlsHandshake else { return true }
        guard held.count - start >= Self.tlsHeaderSize else { return false }
        return held.count - start >= Self.tlsHeaderSize + (Int(held[start + 3]) << 8 | Int(held[start + 4]))
    }
}

extension MySQLPacket {
    /// Whether the server switches to a method that calls any answer but one of 64 bytes a broken connection.
    fileprivate var asksForSignature: Bool {
        let name = Array("client_ed25519\u{0}".utf8)
        return header == Self.eof && name.indices.allSatisfy { uint8(at: $0 + 1) == name[$0] }
    }
}
