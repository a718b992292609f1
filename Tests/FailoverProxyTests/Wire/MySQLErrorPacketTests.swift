import Testing

@testable import FailoverProxy

@Suite("ERR packets of the proxy")
struct MySQLErrorPacketTests {
    @Test func afterTheHandshakeTheSQLStateStandsBehindItsMark() {
        let packet = MySQLErrorPacket(code: 1053, sqlState: "08S01", message: "gone", sequence: 7)
        #expect(packet.bytes == [13, 0, 0, 7, 0xff, 0x1d, 0x04] + Array("#08S01gone".utf8))
    }

    @Test func inPlaceOfAGreetingThereIsNone() {
        let packet = MySQLErrorPacket(code: 2003, sqlState: nil, message: "no server", sequence: 0)
        #expect(packet.bytes == [12, 0, 0, 0, 0xff, 0xd3, 0x07] + Array("no server".utf8))
    }

    @Test func anImpossibleSQLStateIsTheGeneralOne() {
        let packet = MySQLErrorPacket(code: 1, sqlState: "x", message: "", sequence: 1)
        #expect(packet.bytes == [9, 0, 0, 1, 0xff, 1, 0] + Array("#HY000".utf8))
    }

    @Test func aLongMessageIsCutBetweenCharacters() {
        let packet = MySQLErrorPacket(
            code: 1, sqlState: "HY000", message: String(repeating: "é", count: 400) + "x", sequence: 1)
        #expect(packet.bytes.count == 4 + 9 + 512)
        #expect(String(decoding: packet.bytes.suffix(4), as: UTF8.self) == "éé")
    }

    @Test func thePacketIsReadAsAnErrorByTheReader() {
        var session = MySQLConversation()
        session.query()
        let packet = MySQLErrorPacket(
            code: 1053, sqlState: "08S01", message: "gone", sequence: session.errorSequence ?? 99)
        session.say(.server(packet.bytes))
        #expect(session.isReadable)
        #expect(session.errorSequence == nil)
        #expect(session.reader.heard.contains(.shutdown))
    }
}
