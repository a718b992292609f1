import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("A MySQL session that cannot be made read-only")
struct MySQLGuardLossTests {
    private typealias Talk = MySQLConversation
    private static let reset: [UInt8] = [0x1f]
    private static let changeUser: [UInt8] =
        [0x11] + Array("other\u{0}\u{0}a database with quite a long name\u{0}".utf8)

    private func packet(_ sequence: UInt8, _ body: [UInt8]) -> [UInt8] {
        FaultyServerConnection.mysqlPacket(sequence, body)
    }

    /// MySQL closes the connection.
    @Test func aServerThatClosesAfterARefusedChangeOfTheUserIsNotAccused() {
        var session = GuardedConversation(loggedIn: .whole)
        session.client(0, Self.changeUser)
        session.server(1, Talk.error(1045))
        var state = session.state
        let passage = state.serverIsSilent("the server closed the connection")
        #expect(passage?.toClient == packet(1, Talk.error(1045)))
        #expect(passage?.refusal == nil)
    }

    @Test func aServerThatClosesInsteadOfAnAnswerIsNoUse() {
        var session = GuardedConversation(loggedIn: .whole)
        #expect(session.state.phase == .following)
        session.client(0, Self.reset)
        session.server(1, Talk.ok())
        var state = session.state
        let passage = state.serverIsSilent("the server closed the connection")
        #expect(passage?.refusal == MySQLGuard.Refusal(message: "the server closed the connection", sequence: 1))
        #expect(passage?.toClient == [])
        #expect(state.serverIsSilent("again") == nil)
    }

    @Test(arguments: Chunking.allCases)
    func aServerThatDoesNotTakeItIsNoUse(_ chunking: Chunking) {
        var session = GuardedConversation(chunking)
        session.server(0, Talk.greeting(.init()))
        session.client(1, Talk.handshake(.init()))
        session.server(2, Talk.ok())
        _ = session.takeClient()
        session.server(1, Talk.error(1064))
        #expect(session.refusal == MySQLGuard.Refusal(message: "server answered 1064: oops", sequence: 2, code: 1064))
        #expect(session.takeClient() == [])
        #expect(session.state.phase == .over)
    }

    @Test(
        arguments: [[1, 0, 0, 2, 0], [7, 0, 0, 1, 9, 0, 0, 2, 0, 0, 0], [0, 0, 0, 1], [1, 0, 1, 1, 0]] as [[UInt8]])
    func whatIsNoAnswerIsNoUse(bytes: [UInt8]) {
        var session = GuardedConversation(.whole)
        session.server(0, Talk.greeting(.init()))
        session.client(1, Talk.handshake(.init()))
        session.server(2, Talk.ok())
        session.say(.server(bytes))
        #expect(session.refusal?.sequence == 2)
    }

    @Test func anAnswerWithoutEndIsNotHeld() {
        var session = GuardedConversation(.whole)
        session.server(0, Talk.greeting(.init()))
        session.client(1, Talk.handshake(.init()))
        session.say(.server([1, 0, 1, 2, 0]))
        #expect(session.refusal?.message == "the server's answer is too long")
    }

    @Test(arguments: Chunking.allCases)
    func aRefusedLoginPassesUntouched(_ chunking: Chunking) {
        var session = GuardedConversation(chunking)
        session.server(0, Talk.greeting(.init()))
        session.client(1, Talk.handshake(.init()))
        _ = (session.takeClient(), session.takeServer())
        session.server(2, Talk.error(1045))
        #expect(session.takeClient() == packet(2, Talk.error(1045)))
        #expect(session.takeServer() == [])
        #expect(session.state.phase == .over)
        #expect(!session.state.isUntracked)
    }

    @Test(arguments: Chunking.allCases)
    func anEncryptedOrCompressedSessionIsLetPass(_ chunking: Chunking) {
        for (flag, beginning) in [(UInt32(0x0800), 32), (0x20, 65_536), (1 << 26, 65_536)] {
            let handshake = packet(1, Array(Talk.handshake(.with(flag)).prefix(beginning)))
            var session = GuardedConversation(chunking)
            session.server(0, Talk.greeting(.with(flag)))
            session.say(.client(handshake))
            session.say(.client([0x16, 3, 1, 0, 5]))
            #expect(session.takeServer() == handshake + [0x16, 3, 1, 0, 5])
            session.say(.server([0x16, 3, 3, 0, 2]))
            #expect(session.takeClient() == packet(0, Talk.greeting(.with(flag))) + [0x16, 3, 3, 0, 2])
            #expect(session.state.isUntracked)
        }
    }

    @Test(arguments: Chunking.allCases)
    func anEncryptedOrCompressedSessionIsRefusedWhereThatIsWanted(_ chunking: Chunking) {
        for (flag, beginning) in [(UInt32(0x0800), 32), (0x20, 65_536), (1 << 26, 65_536)] {
            var session = GuardedConversation(chunking, refusesOpaque: true)
            session.server(0, Talk.greeting(.with(flag)))
            // The server's offer is not reduced: a client that then gave up TLS would continue in clear text.
            #expect(session.takeClient() == packet(0, Talk.greeting(.with(flag))))
            session.say(.client(packet(1, Array(Talk.handshake(.with(flag)).prefix(beginning)))))
            #expect(session.takeServer() == [])
            #expect(
                session.refusal
                    == MySQLGuard.Refusal(
                        message: MySQLGuard.whyOpaque, sequence: 2, isBeforeLogin: true, isForTLS: flag == 0x0800))
        }
    }

    @Test(arguments: [false, true])
    func whatCannotBeFollowedIsTreatedLikewise(isRefused: Bool) {
        var session = GuardedConversation(loggedIn: .whole, refusesOpaque: isRefused)
        let dump = packet(0, [0x12, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0])
        session.say(.client(dump))
        #expect(session.state.phase == .over)
        #expect(session.takeServer() == (isRefused ? [] : dump))
        #expect((session.refusal != nil) == isRefused)
    }

    @Test func aServerThatAnswersWhatItWasNotAskedDoesNotLeaveTheClientWaiting() {
        var session = GuardedConversation(loggedIn: .whole)
        session.say(.server([7, 0, 0]))
        session.client(0, Self.reset)
        session.say(.client(packet(0, [0x0e])))
        session.say(.server([1] + Talk.ok()))
        #expect(session.state.isUntracked)
        #expect(session.takeServer() == packet(0, Self.reset) + packet(0, [0x0e]))
    }
}
