import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("How the proxy ends a MySQL login")
struct MySQLRefusedLoginTests {
    private func steps(_ packets: (UInt8, [UInt8])...) -> [MySQLRefusedLogin.Step] {
        var login = handshaken
        return packets.map { sequence, body in
            FaultyServerConnection.mysqlPacket(sequence, body).withUnsafeBytes { login.serverSent($0) }
        }
    }

    /// A login whose first packet was sent.
    private var handshaken: MySQLRefusedLogin {
        var login = MySQLRefusedLogin()
        #expect(login.start() == .send(MySQLRefusedLogin.handshake()))
        return login
    }

    @Test func itsFirstPacketIsAHandshakeInClear() {
        let packet = MySQLRefusedLogin.handshake().withUnsafeBytes { MySQLPacket($0) }
        #expect(packet?.sequence == 1)
        #expect(packet?.length == MySQLRefusedLogin.handshake().count - 4)
        let capabilities = packet.map { MySQLCapabilities(handshake: $0) }
        #expect(capabilities?.contains(.protocol41) == true)
        #expect(capabilities?.isDisjoint(with: [.tls, .compress, .compressZstd]) == true)
    }

    @Test func anErrorIsTheEnd() {
        #expect(steps((2, MySQLConversation.error(1045))) == [.leave])
    }

    @Test func questionsAreAnsweredWithNothing() {
        let question: [UInt8] = [0xfe] + Array("caching_sha2_password\u{0}abcdefghijklmnopqrst\u{0}".utf8)
        #expect(
            steps((2, question), (4, [1, 4]), (6, MySQLConversation.error(1045)))
                == [.send([0, 0, 0, 3]), .send([0, 0, 0, 5]), .leave])
    }

    @Test func whoIsLetInSaysGoodbye() {
        #expect(steps((2, MySQLConversation.ok())) == [.send([1, 0, 0, 0, 1])])
    }

    @Test func aGreetingThatIsStillToComeIsWaitedFor() {
        var login = MySQLRefusedLogin(at: .greeting)
        #expect(login.start() == .wait)
        let greeting = FaultyServerConnection.mysqlGreeting()
        #expect(greeting.withUnsafeBytes { login.serverSent($0) } == .send(MySQLRefusedLogin.handshake()))
        var refused = MySQLRefusedLogin(at: .greeting)
        let error = FaultyServerConnection.mysqlPacket(0, MySQLConversation.error(1040))
        #expect(error.withUnsafeBytes { refused.serverSent($0) } == .leave)
    }

    @Test func aQuestionThatIsOpenIsAnsweredFirst() {
        var login = MySQLRefusedLogin(at: .client(sequence: 3, size: 0))
        #expect(login.start() == .send([0, 0, 0, 3]))
        var answered = MySQLRefusedLogin(at: .server)
        #expect(answered.start() == .wait)
        let ok = FaultyServerConnection.mysqlPacket(4, MySQLConversation.ok())
        #expect(ok.withUnsafeBytes { answered.serverSent($0) } == .send([1, 0, 0, 0, 1]))
    }

    /// MariaDB's ed25519 treats any other size as a broken connection.
    @Test func aSignatureIsAsLongAsOne() {
        let question: [UInt8] = [0xfe] + Array("client_ed25519\u{0}".utf8) + [UInt8](repeating: 7, count: 32)
        #expect(steps((2, question)) == [.send([64, 0, 0, 3] + [UInt8](repeating: 0, count: 64))])
    }

    @Test func aServerThatAsksWithoutEndIsLeft() {
        var login = handshaken
        let question = FaultyServerConnection.mysqlPacket(2, [1, 4])
        let steps = (0..<10).map { _ in question.withUnsafeBytes { login.serverSent($0) } }
        #expect(steps.last == .leave)
    }

    @Test func halfAPacketIsWaitedFor() {
        var login = handshaken
        let error = FaultyServerConnection.mysqlPacket(2, MySQLConversation.error(1045))
        let steps = error.map { byte in withUnsafeBytes(of: byte) { login.serverSent($0) } }
        #expect(steps.dropLast().allSatisfy { $0 == .wait })
        #expect(steps.last == .leave)
    }
}
