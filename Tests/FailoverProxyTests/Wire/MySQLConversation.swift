import FailoverTesting
import Testing

@testable import FailoverProxy

/// A session written by a test packet by packet, and read at the same time.
struct MySQLConversation {
    private(set) var reader = MySQLReader()
    private var script = SessionScript()
    /// Whether to replay in other chunks. Packets of 16 MB take too long byte by byte.
    private let replays: Bool

    static let autocommit: UInt16 = 0x0002
    static let inTransaction: UInt16 = 0x0003
    static let moreResults: UInt16 = 0x000a

    /// The greeting's capabilities, without TLS and compression.
    struct Flags {
        var client: UInt32 = 0x00_0f_a2_85
        var server: UInt32 = 0x00_3f_a2_9d
        var mariaDBClient: UInt32 = 0
        var mariaDBServer: UInt32 = 0
        static let deprecateEOF = with(1 << 24)
        static func with(_ both: UInt32, mariaDB: UInt32 = 0) -> Flags {
            var flags = Flags()
            flags.client |= both
            flags.server |= both
            if mariaDB != 0 {
                flags.client &= ~1
                flags.server &= ~1
                (flags.mariaDBClient, flags.mariaDBServer) = (mariaDB, mariaDB)
            }
            return flags
        }
    }

    /// A session that is logged in, or that has not begun.
    init(loggedIn flags: Flags? = Flags(), replays: Bool = true) {
        self.replays = replays
        guard let flags else { return }
        greet(flags)
        shakeHands(flags)
        server(2, Self.ok())
    }

    mutating func server(_ sequence: UInt8, _ body: [UInt8]) {
        say(.server(FaultyServerConnection.mysqlPacket(sequence, body)))
    }

    mutating func client(_ sequence: UInt8, _ body: [UInt8]) {
        say(.client(FaultyServerConnection.mysqlPacket(sequence, body)))
    }

    mutating func say(_ event: SessionScript.Event) {
        script.append(event)
        reader.play(event)
    }

    mutating func greet(_ flags: Flags) {
        server(0, Self.greeting(flags))
    }

    mutating func shakeHands(_ flags: Flags) {
        client(1, Self.handshake(flags))
    }

    mutating func query(_ sql: String = "select 1") { client(0, [3] + Array(sql.utf8)) }

    /// A result with one column and this number of rows.
    mutating func result(
        from first: UInt8 = 1, rows: Int = 1, row: [UInt8] = [1, 49], status: UInt16 = autocommit,
        deprecateEOF: Bool = false
    ) {
        var sequence = first
        var packets = [[1], Self.definition]
        if !deprecateEOF { packets.append(Self.eof()) }
        packets += Array(repeating: row, count: rows)
        packets.append(deprecateEOF ? Self.ok(status, header: 0xfe) : Self.eof(status))
        for packet in packets {
            server(sequence, packet)
            sequence &+= 1
        }
    }

    var isAtBoundary: Bool { reader.isAtBoundary }
    var isReadable: Bool { reader.isReadable }
    var errorSequence: UInt8? { reader.errorSequence }

    /// Plays everything again in other chunks.
    func check(_ location: SourceLocation = #_sourceLocation) {
        guard replays else { return }
        let violation = MySQLReader.violation(in: script)
        #expect(violation == nil, sourceLocation: location)
    }
}

/// The bodies of packets.
extension MySQLConversation {
    static func ok(_ status: UInt16 = autocommit, header: UInt8 = 0) -> [UInt8] {
        [header, 0, 0, UInt8(status & 0xff), UInt8(status >> 8), 0, 0]
    }

    static func eof(_ status: UInt16 = autocommit) -> [UInt8] {
        [0xfe, 0, 0, UInt8(status & 0xff), UInt8(status >> 8)]
    }

    static func error(_ code: UInt16 = 1064) -> [UInt8] {
        [0xff, UInt8(code & 0xff), UInt8(code >> 8)] + Array("#42000oops".utf8)
    }

    static let definition: [UInt8] =
        [3] + Array("def".utf8) + [0, 0, 0, 1, 49, 0, 12, 63, 0, 1, 0, 0, 0, 8, 1, 0, 0, 0, 0]

    static func prepareOK(id: UInt8, columns: UInt8, parameters: UInt8) -> [UInt8] {
        [0, id, 0, 0, 0, columns, 0, parameters, 0, 0, 0, 0]
    }

    /// `COM_STMT_EXECUTE` with no parameters.
    static func execute(id: UInt8 = 1, cursor: Bool = false) -> [UInt8] {
        [0x17, id, 0, 0, 0, cursor ? 1 : 0, 1, 0, 0, 0]
    }

    static func greeting(_ flags: Flags) -> [UInt8] {
        let (low, high) = (flags.server & 0xffff, flags.server >> 16)
        var body: [UInt8] =
            [10] + Array("5.5.5-10.11.1-MariaDB\u{0}".utf8) + [1, 0, 0, 0] + Array("abcdefgh".utf8) + [0]
        body += [UInt8(low & 0xff), UInt8(low >> 8), 45, 2, 0, UInt8(high & 0xff), UInt8(high >> 8), 21]
        body += [UInt8](repeating: 0, count: 6) + littleEndian(flags.mariaDBServer)
        return body + Array("ijklmnopqrst\u{0}mysql_native_password\u{0}".utf8)
    }

    static func handshake(_ flags: Flags) -> [UInt8] {
        littleEndian(flags.client) + [0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 19)
            + littleEndian(flags.mariaDBClient) + Array("app\u{0}\u{0}".utf8)
    }

    static func littleEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }
}
