/// The status flags that a server sends with OK and EOF packets.
struct MySQLStatus: OptionSet {
    let rawValue: UInt16

    static let inTransaction = MySQLStatus(rawValue: 0x0001)
    static let moreResults = MySQLStatus(rawValue: 0x0008)
    /// The statement has left a cursor open.
    static let cursorExists = MySQLStatus(rawValue: 0x0040)
    /// The cursor is exhausted, and thereby closed.
    static let lastRowSent = MySQLStatus(rawValue: 0x0080)
}

extension MySQLStatus {
    /// Those of an OK packet, under either header, or of an EOF packet; `nil` if it is too short.
    ///
    /// An EOF packet has a body of 5 bytes, an OK packet one of 7 at least.
    init?(_ packet: MySQLPacket) {
        if packet.header == MySQLPacket.eof, packet.length < 7 {
            // Warnings come first.
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
