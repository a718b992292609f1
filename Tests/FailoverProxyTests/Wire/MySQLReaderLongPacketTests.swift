import Testing

@testable import FailoverProxy

@Suite("MySQL packets of 16 MB that continue in the next one")
struct MySQLReaderLongPacketTests {
    private typealias Talk = MySQLConversation
    private static let full = [UInt8](repeating: 0x20, count: MySQLPacket.fullSize)

    @Test func aLongCommandIsCompleteWithItsLastPacket() {
        var session = Talk(replays: false)
        session.client(0, [3] + Self.full.dropFirst())
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.client(1, Self.full)
        // Looks like a separate command.
        session.client(2, [1])
        #expect(session.errorSequence == 3)
        session.server(3, Talk.ok())
        #expect(session.isAtBoundary)
    }

    @Test func aLongRowIsOneRowWhateverItsPacketsBeginWith() {
        for continuation in [[], Talk.eof(), Talk.error(1053)] {
            var session = Talk(replays: false)
            session.query()
            session.server(1, [1])
            session.server(2, Talk.definition)
            session.server(3, Talk.eof())
            session.server(4, [0xfe] + Self.full.dropFirst())
            #expect(session.errorSequence == nil)
            session.server(5, continuation)
            #expect(!session.isAtBoundary)
            #expect(!session.reader.heard.contains(.shutdown))
            #expect(session.errorSequence == 6)
            session.server(6, Talk.eof())
            #expect(session.isAtBoundary)
        }
    }

    @Test func aLongRowInChunksOfAnySizeIsOneRow() {
        let row = [0xff, 0xff, 0xff, 3, 0xfe] + Self.full.dropFirst() + [1, 0, 0, 4, 0]
        for size in [9999, 65_536, 131_072] {
            var session = Talk(loggedIn: .deprecateEOF, replays: false)
            session.query()
            session.server(1, [1])
            session.server(2, Talk.definition)
            for start in stride(from: 0, to: row.count, by: size) {
                session.say(.server(Array(row[start..<min(start + size, row.count)])))
            }
            session.server(5, Talk.ok(header: 0xfe))
            #expect(session.isAtBoundary)
        }
    }

    @Test func aContinuationOutOfOrderIsNotRead() {
        var session = Talk(replays: false)
        session.client(0, [3] + Self.full.dropFirst())
        session.client(0, [0x0e])
        #expect(!session.isReadable)
    }

    @Test func aLongCommandBehindAnotherHasItsOwnNumbers() {
        var session = Talk(replays: false)
        session.query()
        session.client(0, [3] + Self.full.dropFirst())
        session.result()
        #expect(session.errorSequence == nil)
        session.client(1, [32])
        #expect(session.errorSequence == 2)
        session.server(2, Talk.ok())
        #expect(session.isAtBoundary)
    }

    @Test func aLongCommandInTheQueueKeepsItsNumbers() {
        var session = Talk(replays: false)
        session.query()
        session.client(0, [3] + Self.full.dropFirst())
        session.client(1, [32])
        #expect(session.errorSequence == 1)
        session.result()
        #expect(session.errorSequence == 2)
        session.server(2, Talk.ok())
        #expect(session.isAtBoundary)
    }

    @Test func aFileInLongPacketsEndsWithAnEmptyOneOfItsOwn() {
        var session = Talk(replays: false)
        session.query("load data local infile 'x' into table t")
        session.server(1, [0xfb, 120])
        session.client(2, Self.full)
        session.client(3, [])
        #expect(session.errorSequence == nil)
        session.client(4, [])
        #expect(session.errorSequence == 5)
        session.server(5, Talk.ok())
        #expect(session.isAtBoundary)
    }
}
