import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("A MySQL login that the proxy may have to end")
struct MySQLLoginTests {
    private typealias Talk = MySQLConversation
    private static let switchRequest: [UInt8] =
        [0xfe] + Array("mysql_native_password\u{0}abcdefghijklmnopqrst\u{0}".utf8)
    private static let tlsRequest: [UInt8] = [0x01, 0x0a, 0, 0] + [0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 23)

    private func packet(_ sequence: UInt8, _ body: [UInt8]) -> [UInt8] {
        FaultyServerConnection.mysqlPacket(sequence, body)
    }

    /// Sends the bytes as a whole, or byte by byte.
    private func say(_ bytes: [UInt8], to login: inout MySQLLogin, inBytes: Bool = false) -> [UInt8] {
        guard inBytes else { return bytes.withUnsafeBytes { login.clientSent($0) } }
        return bytes.flatMap { byte in withUnsafeBytes(of: byte) { login.clientSent($0) } }
    }

    private func hear(_ sequence: UInt8, _ body: [UInt8], _ login: inout MySQLLogin) {
        packet(sequence, body).withUnsafeBytes { login.serverSent($0) }
    }

    private var greeted: MySQLLogin {
        var login = MySQLLogin()
        hear(0, Talk.greeting(.init()), &login)
        return login
    }

    @Test func untilTheServerHasGreetedItsGreetingIsAwaited() {
        var login = MySQLLogin()
        var refused = login.refusedLogin
        #expect(refused?.start() == .wait)
        hear(0, Talk.greeting(.init()), &login)
        #expect(login.stage == .greeted)
        refused = login.refusedLogin
        #expect(refused?.start() == .send(MySQLRefusedLogin.handshake()))
    }

    @Test func aServerThatRefusesIsLeftByClosing() {
        var login = MySQLLogin()
        hear(0, Talk.error(1040), &login)
        #expect(login.isOver)
        #expect(login.refusedLogin == nil)
    }

    @Test(arguments: [false, true])
    func packetsPassAsWholes(inBytes: Bool) {
        var login = greeted
        let handshake = packet(1, Talk.handshake(.init()))
        #expect(say(Array(handshake.dropLast()), to: &login, inBytes: inBytes) == [])
        #expect(login.stage == .greeted)
        #expect(say([handshake.last ?? 0], to: &login) == handshake)
        #expect(login.stage == .server)
        hear(2, Self.switchRequest, &login)
        #expect(login.stage == .client(sequence: 3, size: 0))
        let answer = packet(3, [UInt8](repeating: 9, count: 20))
        #expect(say(Array(answer.prefix(10)), to: &login, inBytes: inBytes) == [])
        #expect(login.stage == .client(sequence: 3, size: 0))
        #expect(say(Array(answer.dropFirst(10)), to: &login, inBytes: inBytes) == answer)
        hear(4, [1, 3], &login)
        #expect(login.stage == .server)
        hear(5, Talk.ok(), &login)
        #expect(login.isOver)
        #expect(login.refusedLogin == nil)
        #expect(login.heldBytes == 0)
    }

    @Test func whatWaitsWhenTheServerHasAnsweredIsReleased() {
        var login = greeted
        let (handshake, query) = (packet(1, Talk.handshake(.init())), packet(0, [3] + Array("select 1".utf8)))
        #expect(say(handshake + query.prefix(6), to: &login) == handshake)
        hear(2, Talk.ok(), &login)
        #expect(login.isOver)
        #expect(login.release() == Array(query.prefix(6)))
        #expect(login.release() == [])
    }

    @Test(arguments: [false, true])
    func aRequestForTLSWaitsForTheFirstRecord(inBytes: Bool) {
        var login = greeted
        let request = packet(1, Self.tlsRequest)
        let record: [UInt8] = [0x16, 3, 1, 0, 4, 1, 2, 3, 4]
        #expect(say(request + record.dropLast(), to: &login, inBytes: inBytes) == [])
        #expect(login.stage == .greeted)
        #expect(say([4, 5], to: &login) == request + record + [5])
        #expect(login.isOver)
    }

    @Test func aRequestForTLSThatIsRefusedPassesAtOnce() {
        var login = greeted
        login.holdsTLSRequest = false
        #expect(say(packet(1, Self.tlsRequest), to: &login) == packet(1, Self.tlsRequest))
        #expect(login.isOver)
    }

    @Test func junkBehindARequestForTLSPassesToTheServer() {
        var login = greeted
        #expect(say(packet(1, Self.tlsRequest) + [0], to: &login) == packet(1, Self.tlsRequest) + [0])
        #expect(login.isOver)
    }

    @Test func aLongPacketPassesAsItComes() {
        var login = greeted
        let start = [0xff, 0xff, 0x0f, 1] + [UInt8](repeating: 1, count: 16_000)
        #expect(say(start, to: &login).isEmpty)
        let more = [UInt8](repeating: 2, count: 1000)
        let passed = say(more, to: &login)
        #expect(passed.elementsEqual(start + more), "\(passed.count) bytes")
        #expect(login.isOver)
        #expect(login.heldBytes == 0)
    }
}
