import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("A read-only MySQL session")
struct MySQLGuardTests {
    private typealias Talk = MySQLConversation
    private static let reset: [UInt8] = [0x1f]
    private static let changeUser: [UInt8] =
        [0x11] + Array("other\u{0}\u{0}a database with quite a long name\u{0}".utf8)
    private static let switchRequest: [UInt8] =
        [0xfe] + Array("mysql_native_password\u{0}abcdefghijklmnopqrst\u{0}".utf8)

    private func packet(_ sequence: UInt8, _ body: [UInt8]) -> [UInt8] {
        FaultyServerConnection.mysqlPacket(sequence, body)
    }

    @Test(arguments: Chunking.allCases)
    func theServerIsToldBeforeTheClientIsLetIn(_ chunking: Chunking) {
        var session = GuardedConversation(chunking)
        session.server(0, Talk.greeting(.init()))
        #expect(session.takeClient() == packet(0, Talk.greeting(.init())))
        session.client(1, Talk.handshake(.init()))
        #expect(session.takeServer() == packet(1, Talk.handshake(.init())))
        session.server(2, Talk.ok())
        #expect(session.takeClient() == [])
        #expect(session.takeServer() == GuardedConversation.set)
        #expect(!session.state.isAtBoundary)
        #expect(session.state.reader.errorSequence == 2)
        session.server(1, Talk.ok())
        #expect(session.takeClient() == packet(2, Talk.ok()))
        #expect(session.takeServer() == [])
        #expect(session.state.isAtBoundary)
        #expect(session.state.heldBytes == 0)
    }

    @Test(arguments: Chunking.allCases, [[], [0], [0xff], [0, 0, 3, 0]] as [[UInt8]])
    func anEmptyPacketInPlaceOfTheLoginsAnswerIsNone(_ chunking: Chunking, _ next: [UInt8]) {
        for silence in [false, true] {
            var session = GuardedConversation(chunking)
            session.server(0, Talk.greeting(.init()))
            session.client(1, Talk.handshake(.init()))
            _ = (session.takeClient(), session.takeServer())
            session.server(2, [])
            session.say(.server(next))
            #expect(session.takeServer() == [])
            if silence { #expect(session.silence() == nil) }
            // The client sends next, as after any other packet that is neither OK nor ERR.
            session.client(3, [7])
            #expect(session.takeServer() == packet(3, [7]))
        }
    }

    @Test(arguments: Chunking.allCases)
    func aServerThatClosesInsteadOfSayingWhetherItReadsOnlyIsRefused(_ chunking: Chunking) {
        var session = GuardedConversation(chunking)
        session.server(0, Talk.greeting(.init()))
        session.client(1, Talk.handshake(.init()))
        session.server(2, Talk.ok())
        #expect(session.silence()?.refusal?.message == "silent")
        #expect(session.silence() == nil)
    }

    /// From MySQL 8.0.23 on, if client and server agree on it. A statement without attributes is then malformed.
    @Test(arguments: [(true, true), (true, false), (false, true)], Chunking.allCases)
    func whatTheServerIsToldHasAttributesWhereBothSidesKnowThem(_ knowing: (Bool, Bool), _ chunking: Chunking) {
        let bit: UInt32 = 1 << 27
        var flags = Talk.Flags()
        if knowing.0 { flags.server |= bit }
        if knowing.1 { flags.client |= bit }
        var session = GuardedConversation(chunking)
        session.server(0, Talk.greeting(flags))
        session.client(1, Talk.handshake(flags))
        _ = session.takeServer()
        session.server(2, Talk.ok())
        let attributes: [UInt8] = knowing.0 && knowing.1 ? [0, 1] : []
        #expect(
            session.takeServer() == packet(0, [3] + attributes + Array("SET SESSION TRANSACTION READ ONLY".utf8)))
        session.server(1, Talk.ok())
        session.client(0, [3] + attributes + Array("select 1".utf8))
        session.server(1, Talk.ok())
        #expect(session.state.isAtBoundary)
        session.client(0, Self.reset)
        _ = session.takeServer()
        session.server(1, Talk.ok())
        #expect(session.takeServer().dropFirst(5).prefix(2) == (attributes + Array("SE".utf8)).prefix(2)[...])
    }

    @Test(arguments: Chunking.allCases)
    func aLoginOfSeveralRoundsPassesBeforeTheServerIsTold(_ chunking: Chunking) {
        var session = GuardedConversation(chunking)
        session.server(0, Talk.greeting(.init()))
        session.client(1, Talk.handshake(.init()))
        _ = (session.takeClient(), session.takeServer())
        session.server(2, Self.switchRequest)
        #expect(session.takeClient() == packet(2, Self.switchRequest))
        session.client(3, [UInt8](repeating: 7, count: 256))
        #expect(session.takeServer() == packet(3, [UInt8](repeating: 7, count: 256)))
        session.server(4, [1, 4])
        session.client(5, [])
        #expect(session.takeClient() == packet(4, [1, 4]))
        #expect(session.takeServer() == packet(5, []))
        // caching_sha2_password found the client in its cache, and OK follows at once.
        session.say(.server(packet(6, [1, 3]) + packet(7, Talk.ok())))
        #expect(session.takeClient() == packet(6, [1, 3]))
        #expect(session.takeServer() == GuardedConversation.set)
        session.server(1, Talk.ok())
        #expect(session.takeClient() == packet(7, Talk.ok()))
        #expect(session.state.isAtBoundary)
    }

    @Test(arguments: Chunking.allCases)
    func whatTheClientSendsMeanwhileWaits(_ chunking: Chunking) {
        let query = packet(0, [3] + Array("delete from accounts where id in (select id from others)".utf8))
        var session = GuardedConversation(chunking)
        session.server(0, Talk.greeting(.init()))
        session.say(.client(packet(1, Talk.handshake(.init())) + query))
        #expect(session.takeServer() == packet(1, Talk.handshake(.init())))
        #expect(!session.state.wantsClient)
        session.server(2, Talk.ok())
        #expect(session.takeServer() == GuardedConversation.set)
        session.say(.client(query))
        #expect(session.takeServer() == [])
        _ = session.takeClient()
        session.server(1, Talk.ok())
        #expect(session.takeClient() == packet(2, Talk.ok()))
        #expect(session.takeServer() == query + query)
        #expect(session.state.wantsClient)
        session.say(.server(packet(1, Talk.ok()) + packet(1, Talk.ok())))
        #expect(session.takeClient() == packet(1, Talk.ok()) + packet(1, Talk.ok()))
        #expect(session.state.isAtBoundary)
    }

    @Test(arguments: Chunking.allCases)
    func theServerIsToldAgainAfterAReset(_ chunking: Chunking) {
        let ping = packet(0, [0x0e])
        var session = GuardedConversation(loggedIn: chunking)
        // Pipelined: a query before it, a reset, and two commands after it, one more reset among them.
        let query = packet(0, [3] + Array("select 1".utf8))
        session.say(.client(query + packet(0, Self.reset) + ping + packet(0, Self.reset) + query))
        #expect(session.takeServer() == query + packet(0, Self.reset))
        session.say(.server(packet(1, Talk.ok()) + packet(1, Talk.ok())))
        #expect(session.takeClient() == packet(1, Talk.ok()))
        #expect(session.takeServer() == GuardedConversation.set)
        session.server(1, Talk.ok())
        #expect(session.takeClient() == packet(1, Talk.ok()))
        #expect(session.takeServer() == ping + packet(0, Self.reset))
        session.server(1, Talk.ok())
        #expect(session.takeClient() == packet(1, Talk.ok()))
        #expect(session.takeServer() == [])
        session.server(1, Talk.ok())
        #expect(session.takeServer() == GuardedConversation.set)
        #expect(session.takeClient() == [])
        session.server(1, Talk.ok())
        #expect(session.takeServer() == query)
        session.server(1, Talk.ok())
        #expect(session.takeClient() == packet(1, Talk.ok()) + packet(1, Talk.ok()))
        #expect(session.state.isAtBoundary)
        #expect(session.state.heldBytes == 0)
    }

    @Test(arguments: Chunking.allCases)
    func aResultOfManyRowsBeforeAResetPasses(_ chunking: Chunking) {
        var session = GuardedConversation(loggedIn: chunking)
        session.say(.client(packet(0, [3] + Array("select * from rows".utf8)) + packet(0, Self.reset)))
        let row = [100] + [UInt8](repeating: 0, count: 100)
        let result = [[1], Talk.definition, Talk.eof()] + Array(repeating: row, count: 50) + [Talk.eof()]
        let bytes = result.enumerated().flatMap { packet(UInt8($0 + 1), $1) }
        session.say(.server(bytes + packet(1, Talk.ok())))
        #expect(session.takeClient() == bytes)
        session.server(1, Talk.ok())
        #expect(session.takeClient() == packet(1, Talk.ok()))
        #expect(session.state.isAtBoundary)
    }

    @Test(arguments: Chunking.allCases)
    func theServerIsToldAgainAfterAChangeOfTheUser(_ chunking: Chunking) {
        var session = GuardedConversation(loggedIn: chunking)
        session.say(.client(packet(0, Self.changeUser)))
        #expect(session.takeServer() == packet(0, Self.changeUser))
        session.server(1, Self.switchRequest)
        #expect(session.takeClient() == packet(1, Self.switchRequest))
        session.say(.client(packet(2, [UInt8](repeating: 3, count: 20)) + packet(0, [0x0e])))
        #expect(session.takeServer() == packet(2, [UInt8](repeating: 3, count: 20)))
        session.server(3, Talk.ok())
        #expect(session.takeServer() == GuardedConversation.set)
        #expect(session.takeClient() == [])
        session.server(1, Talk.ok())
        #expect(session.takeClient() == packet(3, Talk.ok()))
        #expect(session.takeServer() == packet(0, [0x0e]))
        session.server(1, Talk.ok())
        #expect(session.state.isAtBoundary)
    }

    /// MariaDB 10.11 continues with the former user, and transactions may write again.
    @Test(arguments: Chunking.allCases)
    func theServerIsToldAgainAfterARefusedChangeOfTheUser(_ chunking: Chunking) {
        var session = GuardedConversation(loggedIn: chunking)
        session.client(0, Self.changeUser)
        session.server(1, Talk.error(1045))
        #expect(session.takeServer() == packet(0, Self.changeUser) + GuardedConversation.set)
        #expect(session.takeClient() == [])
        session.server(1, Talk.ok())
        #expect(session.takeClient() == packet(1, Talk.error(1045)))
        #expect(session.state.isAtBoundary)
        session.client(0, Self.reset)
        session.server(1, Talk.ok())
        #expect(session.takeServer() == packet(0, Self.reset) + GuardedConversation.set)
    }

    @Test(arguments: Chunking.allCases)
    func aResetThatIsNotKnownIsAnsweredAsTheServerDoes(_ chunking: Chunking) {
        var session = GuardedConversation(loggedIn: chunking)
        session.client(0, Self.reset)
        session.server(1, Talk.error(1047))
        session.server(1, Talk.ok())
        #expect(session.takeClient() == packet(1, Talk.error(1047)))
        #expect(session.state.isAtBoundary)
    }

    @Test(arguments: Chunking.allCases)
    func aFileAndLongDataPass(_ chunking: Chunking) {
        var session = GuardedConversation(loggedIn: chunking)
        session.client(0, [3] + Array("load data local infile 'x' into table y".utf8))
        session.server(1, [0xfb, 120])
        // Part of a file, which looks like a reset.
        session.client(2, Self.reset)
        session.client(3, [])
        session.server(4, Talk.ok())
        #expect(session.state.isAtBoundary)
        session.client(0, [0x18, 1, 0, 0, 0, 0, 0, 0x1f])
        session.client(0, Self.reset)
        session.server(1, Talk.ok())
        _ = session.takeClient()
        session.server(1, Talk.ok())
        #expect(session.takeClient() == packet(1, Talk.ok()))
        #expect(session.state.isAtBoundary)
        // Closing a statement has no answer, and nothing waits after it.
        session.client(0, [0x19, 1, 0, 0, 0])
        _ = session.takeServer()
        session.client(0, [0x0e])
        #expect(session.takeServer() == packet(0, [0x0e]))
    }
}
