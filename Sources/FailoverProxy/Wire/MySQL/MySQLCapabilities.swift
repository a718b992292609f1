/// Capability flags of a session: the 32 bits of MySQL, and above them the 32 bits of MariaDB's extension.
/// Client/Server Protocol, chapters "Capabilities Flags" (MySQL) and "Connection" (MariaDB).
struct MySQLCapabilities: OptionSet {
    let rawValue: UInt64

    /// `CLIENT_LONG_PASSWORD` of MySQL. MariaDB calls it `CLIENT_MYSQL` and leaves it unset to signal that reserved
    /// bytes hold MariaDB's extension.
    static let mysql = MySQLCapabilities(rawValue: 1 << 0)
    /// Everything after the login is compressed.
    static let compress = MySQLCapabilities(rawValue: 1 << 5)
    /// Packets and status flags have the format of version 4.1 and later.
    static let protocol41 = MySQLCapabilities(rawValue: 1 << 9)
    /// The client continues in TLS.
    static let tls = MySQLCapabilities(rawValue: 1 << 11)
    /// Results end with an OK packet, and no packet separates definitions from rows.
    static let deprecateEOF = MySQLCapabilities(rawValue: 1 << 24)
    /// The column count packet and the answer to a prepare show whether definitions follow (MySQL).
    static let optionalMetadata = MySQLCapabilities(rawValue: 1 << 25)
    /// Everything after the login is compressed with zstd.
    static let compressZstd = MySQLCapabilities(rawValue: 1 << 26)
    /// Statements have counts of attributes before their text (MySQL).
    static let queryAttributes = MySQLCapabilities(rawValue: 1 << 27)
    /// The column count packet shows whether definitions follow (MariaDB).
    static let cacheMetadata = MySQLCapabilities(rawValue: 1 << 36)

    /// The stream cannot be followed if any of these is agreed. MySQL's optional metadata is included because the
    /// sources disagree on the flag's position, and hardly any client requests it.
    static let unreadable: MySQLCapabilities = [.compress, .compressZstd, .optionalMetadata]
}

extension MySQLCapabilities {
    /// The capabilities that a greeting offers (MySQL: `Protocol::HandshakeV10`); `nil` if it is not of protocol
    /// version 10.
    ///
    /// - Parameter greeting: the body of the server's first packet.
    init?(greeting: [UInt8]) {
        guard greeting.first == 10, let end = greeting.firstIndex(of: 0) else { return nil }
        // After the version's zero byte: thread ID (4), first part of the challenge (8), filler (1).
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

    /// The capabilities that a client's first packet requests (MySQL: `Protocol::HandshakeResponse41`).
    init(handshake packet: MySQLPacket) {
        var flags = UInt64(packet.uint16(at: 0) ?? 0) | UInt64(packet.uint16(at: 2) ?? 0) << 16
        // Length of packets (4), character set (1), reserved (19), MariaDB's (4).
        if flags & Self.mysql.rawValue == 0 { flags |= UInt64(packet.uint32(at: 28) ?? 0) << 32 }
        self.init(rawValue: flags)
    }
}

/// The status flags that a server sends with OK and EOF packets.
struct MySQLStatus: OptionSet {
    let rawValue: UInt16

    static let inTransaction = MySQLStatus(rawValue: 0x0001)
    static let moreResults = MySQLStatus(rawValue: 0x0008)
    /// The statement has an open cursor.
    static let cursorExists = MySQLStatus(rawValue: 0x0040)
    /// The cursor is exhausted and therefore closed.
    static let lastRowSent = MySQLStatus(rawValue: 0x0080)
}

extension MySQLStatus {
    /// The status of an OK packet, with either header, or of an EOF packet; `nil` if it is too short.
    ///
    /// An EOF packet has a body of 5 bytes, an OK packet one of at least 7.
    init?(_ packet: MySQLPacket) {
        if packet.header == MySQLPacket.eof, packet.length < 7 {
            // The warning count comes first.
            guard let flags = packet.uint16(at: 3) else { return nil }
            self.init(rawValue: flags)
        } else {
            // Affected rows and the last inserted id come first.
            guard let rows = packet.integer(at: 1), let id = packet.integer(at: rows.end),
                let flags = packet.uint16(at: id.end)
            else { return nil }
            self.init(rawValue: flags)
        }
    }
}
