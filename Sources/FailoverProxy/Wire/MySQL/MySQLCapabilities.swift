/// What server and client of a session can do: the 32 bits of MySQL, above them the 32 of MariaDB's extension.
/// Client/Server Protocol, chapters "Capabilities Flags" (MySQL) and "Connection" (MariaDB).
struct MySQLCapabilities: OptionSet {
    let rawValue: UInt64

    /// `CLIENT_LONG_PASSWORD` of MySQL. MariaDB calls it `CLIENT_MYSQL` and leaves it unset to tell that MariaDB's
    /// extension is in bytes that are reserved otherwise.
    static let mysql = MySQLCapabilities(rawValue: 1 << 0)
    /// All after the login is compressed.
    static let compress = MySQLCapabilities(rawValue: 1 << 5)
    /// Packets and status flags are those of version 4.1 and later.
    static let protocol41 = MySQLCapabilities(rawValue: 1 << 9)
    /// The client goes on in TLS.
    static let tls = MySQLCapabilities(rawValue: 1 << 11)
    /// Results end with an OK packet, and nothing stands between definitions and rows.
    static let deprecateEOF = MySQLCapabilities(rawValue: 1 << 24)
    /// Whether definitions follow is told in the column count packet and in the answer to a prepare (MySQL).
    static let optionalMetadata = MySQLCapabilities(rawValue: 1 << 25)
    /// All after the login is compressed with zstd.
    static let compressZstd = MySQLCapabilities(rawValue: 1 << 26)
    /// Statements have numbers of attributes before their text (MySQL).
    static let queryAttributes = MySQLCapabilities(rawValue: 1 << 27)
    /// Whether definitions follow is told in the column count packet (MariaDB).
    static let cacheMetadata = MySQLCapabilities(rawValue: 1 << 36)

    /// With any of these agreed the stream cannot be followed. MySQL's optional metadata is among them for the sources
    /// disagree on where the flag stands, and hardly any client asks for it.
    static let unreadable: MySQLCapabilities = [.compress, .compressZstd, .optionalMetadata]
}

extension MySQLCapabilities {
    /// Those that a greeting offers (MySQL: `Protocol::HandshakeV10`); `nil` if it is none of protocol version 10.
    ///
    /// - Parameter greeting: the body of the server's first packet.
    init?(greeting: [UInt8]) {
        guard greeting.first == 10, let end = greeting.firstIndex(of: 0) else { return nil }
        // After the version's zero: thread id (4), first part of the challenge (8), filler (1).
        let start = end + 14
        guard greeting.count >= start + 2 else { return nil }
        func byte(_ index: Int) -> UInt64 { index < greeting.count ? UInt64(greeting[index]) : 0 }
        var flags = byte(start) | byte(start + 1) << 8
        // Character set (1), status (2), the upper half, length of the challenge (1), reserved (6), MariaDB's (4).
        flags |= byte(start + 5) << 16 | byte(start + 6) << 24
        if flags & Self.mysql.rawValue == 0 {
            for index in 0..<4 { flags |= byte(start + 14 + index) << (32 + 8 * UInt64(index)) }
        }
        self.init(rawValue: flags)
    }

    /// Those that a client's first packet asks for (MySQL: `Protocol::HandshakeResponse41`).
    init(handshake packet: MySQLPacket) {
        var flags = UInt64(packet.uint16(at: 0) ?? 0) | UInt64(packet.uint16(at: 2) ?? 0) << 16
        // Length of packets (4), character set (1), reserved (19), MariaDB's (4).
        if flags & Self.mysql.rawValue == 0 { flags |= UInt64(packet.uint32(at: 28) ?? 0) << 32 }
        self.init(rawValue: flags)
    }
}
