import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("The first packet of a MySQL server")
struct MySQLFirstPacketTests {
    private func judge(_ bytes: [UInt8]) -> MySQLFirstPacket { bytes.withUnsafeBytes { MySQLFirstPacket($0) } }

    private func packet(_ sequence: UInt8, _ body: [UInt8]) -> [UInt8] {
        FaultyServerConnection.mysqlPacket(sequence, body)
    }

    private func refusal(_ text: String) -> [UInt8] { [0xff, 0x10, 0x04] + Array(text.utf8) }

    @Test func aGreetingIsKnownByHeaderAndFirstByte() {
        let greeting = FaultyServerConnection.mysqlGreeting()
        for count in 0..<5 { #expect(judge(Array(greeting.prefix(count))) == .incomplete) }
        for count in 5...greeting.count { #expect(judge(Array(greeting.prefix(count))) == .greeting) }
    }

    @Test(arguments: [UInt8(0), 1])
    func anErrorIsReadWhenAllOfItHasCome(sequence: UInt8) {
        let bytes = packet(sequence, refusal("Too many connections"))
        for count in 0..<bytes.count { #expect(judge(Array(bytes.prefix(count))) == .incomplete) }
        #expect(judge(bytes) == .error(code: 1040, message: "Too many connections"))
        #expect(judge(bytes + [1, 2, 3]) == .error(code: 1040, message: "Too many connections"))
    }

    @Test func theMarkOfAnSQLStateIsLeftOut() {
        #expect(judge(packet(0, refusal("#08004Too many"))) == .error(code: 1040, message: "Too many"))
        #expect(judge(packet(0, refusal("#1 at best"))) == .error(code: 1040, message: "best"))
        #expect(judge(packet(0, refusal("#12"))) == .error(code: 1040, message: "#12"))
        #expect(judge(packet(0, refusal(""))) == .error(code: 1040, message: ""))
    }

    @Test func ofALongErrorTheFirstKilobyteIsEnough() {
        let bytes = packet(0, refusal(String(repeating: "x", count: 5000)))
        #expect(judge(Array(bytes.prefix(4 + 1023))) == .incomplete)
        #expect(
            judge(Array(bytes.prefix(4 + 1024)))
                == .error(code: 1040, message: String(repeating: "x", count: 199) + "…"))
    }

    @Test func nothingInAMessageCanForgeALogLine() {
        let message = MySQLFirstPacket.error(code: 1040, message: "a b c d e")
        #expect(judge(packet(0, refusal("a\nb\u{0}c\u{2028}d\u{202e}e"))) == message)
        let broken: [UInt8] = [0xff, 1, 0, 0xc3]
        #expect(judge(packet(0, broken)) == .error(code: 1, message: "\u{fffd}"))
    }

    @Test(arguments: [
        Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), Array("HTTP/1.1 400 Bad Request\r\n".utf8),
        Array("220 mail ESMTP\r\n".utf8), [0, 0, 0, 0, 0, 0], [64, 0, 0, 0, 9, 51], [64, 0, 0, 7, 10, 56],
        [3, 0, 0, 0, 10, 56],
    ])
    func whatIsNotMySQLIsGarbage(_ bytes: [UInt8]) {
        #expect(judge(bytes) == .malformed)
    }

    @Test func anErrorTooShortForItsCodeIsGarbage() {
        #expect(judge(packet(0, [0xff, 1])) == .malformed)
    }
}
