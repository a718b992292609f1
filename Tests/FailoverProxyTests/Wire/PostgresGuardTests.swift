import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("A PostgreSQL session that a statement makes read-only")
struct PostgresGuardTests {
    private typealias Connection = FaultyServerConnection
    private static let scram = Connection.postgresMessage("R", [0, 0, 0, 10] + Array("SCRAM-SHA-256\u{0}\u{0}".utf8))
    private static let answer = Connection.postgresMessage("p", Array("SCRAM-SHA-256 and more".utf8))
    private static let welcome =
        Connection.postgresMessage("R", [0, 0, 0, 0]) + Connection.postgresMessage("S", Array("a\u{0}b\u{0}".utf8))
        + Connection.postgresMessage("K", [0, 0, 0, 1, 0, 0, 0, 2])
    private static let ready = Connection.postgresMessage("Z", Array("I".utf8))
    private static let done = Connection.postgresMessage("C", Array("SET\u{0}".utf8))
    private static let query = Connection.postgresMessage("Q", Array("delete from accounts\u{0}".utf8))

    /// What each side receives. Everything is sent as a whole, or byte by byte.
    private struct Conversation {
        var state = PostgresGuard()
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        var refusal: String?
        let inBytes: Bool

        mutating func client(_ bytes: [UInt8]) { say(bytes) { $0.clientSent($1) } }
        mutating func server(_ bytes: [UInt8]) { say(bytes) { $0.serverSent($1) } }

        private mutating func say(
            _ bytes: [UInt8], _ tell: (inout PostgresGuard, [UInt8]) -> PostgresGuard.GuardOutput
        ) {
            for part in inBytes ? bytes.map({ [$0] }) : [bytes] where refusal == nil {
                let passage = tell(&state, part)
                toServer += passage.toServer
                toClient += passage.toClient
                refusal = passage.refusal
            }
        }

        mutating func take() -> (toServer: [UInt8], toClient: [UInt8]) {
            defer { (toServer, toClient) = ([], []) }
            return (toServer, toClient)
        }
    }

    private func loggedIn(_ inBytes: Bool) -> Conversation {
        var talk = Conversation(inBytes: inBytes)
        talk.server(Self.welcome + Self.ready)
        _ = talk.take()
        return talk
    }

    @Test(arguments: [false, true])
    func theServerIsToldBeforeTheClientLearnsThatItIsItsTurn(inBytes: Bool) {
        var talk = Conversation(inBytes: inBytes)
        talk.server(Self.scram)
        #expect(talk.take() == ([], Self.scram))
        talk.client(Self.answer)
        #expect(talk.take() == (Self.answer, []))
        talk.server(Self.welcome + Self.ready)
        #expect(talk.take() == (PostgresGuard.query, Self.welcome))
        #expect(talk.state.phase == .setting)
        let status = Connection.postgresMessage("S", Array("default_transaction_read_only\u{0}on\u{0}".utf8))
        talk.server(status + Self.done)
        #expect(talk.take() == ([], status))
        talk.server(Self.ready)
        #expect(talk.take() == ([], Self.ready))
        #expect(talk.state.phase == .following)
        #expect(talk.state.reader.isAtBoundary)
    }

    @Test(arguments: [false, true])
    func whatTheClientSendsMeanwhileWaits(inBytes: Bool) {
        var talk = Conversation(inBytes: inBytes)
        talk.client(Self.answer + Self.query)
        #expect(talk.take() == (Self.answer, []))
        talk.server(Self.welcome + Self.ready)
        #expect(talk.take().toServer == PostgresGuard.query)
        talk.client(Self.query)
        #expect(talk.take() == ([], []))
        talk.server(Self.done + Self.ready)
        #expect(talk.take() == (Self.query + Self.query, Self.ready))
        #expect(!talk.state.reader.isAtBoundary)
    }

    @Test(arguments: [false, true])
    func aServerThatRefusesEndsIt(inBytes: Bool) {
        var talk = loggedIn(inBytes)
        talk.server(Connection.postgresMessage("E", Array("SERROR\u{0}C25001\u{0}Mnot now\u{0}\u{0}".utf8)))
        #expect(talk.refusal == "server answered 25001: not now")
        #expect(talk.take() == ([], []))
    }

    @Test(arguments: [false, true])
    func aRefusedLoginPassesAsItIs(inBytes: Bool) {
        var talk = Conversation(inBytes: inBytes)
        let error = Connection.postgresMessage("E", Array("C28P01\u{0}\u{0}".utf8))
        talk.server(error)
        #expect(talk.take() == ([], error))
        #expect(talk.refusal == nil)
    }

    @Test(arguments: [
        [UInt8(ascii: "T"), 0, 0, 0, 6, 0, 0], [UInt8(ascii: "E"), 0, 0, 0x40, 0], [UInt8(ascii: "Z"), 0, 1, 0, 0],
        [UInt8(ascii: "C"), 0, 0, 0, 3],
    ])
    func whatIsNoAnswerEndsIt(bytes: [UInt8]) {
        var talk = loggedIn(false)
        talk.server(bytes)
        #expect(talk.refusal != nil)
    }

    @Test func aClientThatGoesOnIsReadNoFurther() {
        var talk = Conversation(inBytes: false)
        talk.client([UInt8](repeating: 81, count: 100_000))
        #expect(!talk.state.wantsClient)
        #expect(talk.take() == ([], []))
    }

    @Test func onlyTheParametersOwnRefusalCounts() {
        func error(_ code: String, _ message: String) -> [UInt8] {
            Connection.postgresMessage("E", Array("SFATAL\u{0}C\(code)\u{0}M\(message)\u{0}\u{0}".utf8))
        }
        let message = "unsupported startup parameter: default_transaction_read_only"
        #expect(PostgresReadOnlyStartup.isRefused(by: error("08P01", message)))
        #expect(!PostgresReadOnlyStartup.isRefused(by: error("08P01", "unsupported startup parameter: options")))
        #expect(!PostgresReadOnlyStartup.isRefused(by: error("28000", message)))
        #expect(!PostgresReadOnlyStartup.isRefused(by: Array(error("08P01", message).dropLast())))
        #expect(!PostgresReadOnlyStartup.isRefused(by: [UInt8(ascii: "E"), 0, 0, 0, 4]))
        #expect(!PostgresReadOnlyStartup.isRefused(by: []))
    }
}
