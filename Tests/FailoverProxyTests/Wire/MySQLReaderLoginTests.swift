import Testing

@testable import FailoverProxy

@Suite("How a MySQL session begins")
struct MySQLReaderLoginTests {
    @Test func aSessionIsAtABoundaryOnceItIsLoggedIn() {
        var session = MySQLConversation(loggedIn: nil)
        #expect(session.isReadable)
        #expect(!session.isAtBoundary)
        session.greet(.init())
        #expect(!session.isAtBoundary)
        session.shakeHands(.init())
        #expect(!session.isAtBoundary)
        session.server(2, MySQLConversation.ok())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func anErrorMayEndALoginWhenTheClientWaits() {
        var session = MySQLConversation(loggedIn: nil)
        #expect(session.errorSequence == 0)
        session.greet(.init())
        #expect(session.errorSequence == nil)
        session.shakeHands(.init())
        #expect(session.errorSequence == 2)
        session.server(2, MySQLConversation.ok())
        #expect(session.errorSequence == nil)
        session.check()
    }

    @Test func anotherMethodIsTheClientsTurn() {
        var session = MySQLConversation(loggedIn: nil)
        session.greet(.init())
        session.shakeHands(.init())
        session.server(2, [0xfe] + Array("client_ed25519\u{0}".utf8) + [1, 2, 3])
        #expect(session.errorSequence == nil)
        session.client(3, [1, 2, 3])
        #expect(session.errorSequence == 4)
        session.server(4, MySQLConversation.ok())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func moreDataIsTheClientsTurnButForTheFastSuccessOfCachingSHA2() {
        var session = MySQLConversation(loggedIn: nil)
        session.greet(.init())
        session.shakeHands(.init())
        session.server(2, [1, 4])
        #expect(session.errorSequence == nil)
        session.client(3, [2])
        session.server(4, [1] + Array("-----BEGIN PUBLIC KEY-----".utf8))
        session.client(5, [UInt8](repeating: 7, count: 256))
        session.server(6, [1, 3])
        #expect(session.errorSequence == 7)
        #expect(!session.isAtBoundary)
        session.server(7, MySQLConversation.ok())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func aRefusedLoginIsNeverAtABoundary() {
        var session = MySQLConversation(loggedIn: nil)
        session.greet(.init())
        session.shakeHands(.init())
        session.server(2, MySQLConversation.error(1045))
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.check()
    }

    @Test(arguments: [1040 as UInt16, 1203, 1226])
    func aLoginThatFindsNoPlaceTellsThatTheServerIsFull(code: UInt16) {
        var session = MySQLConversation(loggedIn: nil)
        session.greet(.init())
        session.shakeHands(.init())
        #expect(session.reader.heard == [])
        session.server(2, MySQLConversation.error(code))
        #expect(session.reader.heard == .full)
        session.check()
    }

    @Test func anErrorOfACommandTellsNothingOfPlaces() {
        var session = MySQLConversation()
        session.client(0, [3] + Array("select 1".utf8))
        #expect(session.reader.owesAnswer)
        session.server(1, MySQLConversation.error(1226))
        #expect(session.reader.heard == [])
        #expect(!session.reader.owesAnswer)
        session.check()
    }

    @Test func anErrorInPlaceOfTheGreetingTellsOfAShutdown() {
        var session = MySQLConversation(loggedIn: nil)
        session.server(0, MySQLConversation.error(1053))
        #expect(session.reader.heard.contains(.shutdown))
        #expect(!session.isAtBoundary)
        session.check()
    }

    @Test func aLoginIntoATransactionIsNoBoundary() {
        var session = MySQLConversation(loggedIn: nil)
        session.greet(.init())
        session.shakeHands(.init())
        session.server(2, MySQLConversation.ok(MySQLConversation.inTransaction))
        #expect(!session.isAtBoundary)
        session.check()
    }

    @Test func tlsIsOpaque() {
        var session = MySQLConversation(loggedIn: nil)
        session.greet(.init())
        session.client(1, Array(MySQLConversation.handshake(.with(0x0800)).prefix(32)))
        #expect(!session.isReadable)
        session.server(2, MySQLConversation.ok())
        #expect(!session.isReadable)
        #expect(!session.isAtBoundary)
        session.check()
    }

    @Test(arguments: [UInt32(0x20), 1 << 26, 1 << 25])
    func compressionIsOpaqueIfBothWantIt(flag: UInt32) {
        var agreed = MySQLConversation(loggedIn: nil)
        agreed.greet(.with(flag))
        agreed.shakeHands(.with(flag))
        #expect(!agreed.isReadable)
        agreed.check()
        var asked = MySQLConversation(loggedIn: nil)
        asked.greet(.init())
        asked.shakeHands(.with(flag))
        asked.server(2, MySQLConversation.ok())
        #expect(asked.isAtBoundary)
        asked.check()
    }

    @Test func theProtocolBefore41IsNotRead() {
        var session = MySQLConversation(loggedIn: nil)
        session.greet(.init())
        session.client(1, [0x85, 0x24, 0, 0, 0] + Array("app\u{0}".utf8))
        #expect(!session.isReadable)
        session.check()
    }

    @Test(arguments: [
        Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), [2, 0, 0, 0, 9, 51], [0xff, 0xff, 0xff, 0, 10],
        [1, 0, 0, 0, 10], [0, 0, 0, 0], [5, 0, 0, 1, 10, 56, 0, 0, 0],
    ])
    func whatIsNoGreetingIsNotRead(_ bytes: [UInt8]) {
        var session = MySQLConversation(loggedIn: nil)
        session.say(.server(bytes))
        #expect(!session.isReadable)
        session.check()
    }

    @Test func aClientThatSpeaksBeforeTheGreetingIsNotRead() {
        var session = MySQLConversation(loggedIn: nil)
        session.query()
        #expect(!session.isReadable)
        session.check()
    }

    @Test func aCommandBeforeTheLoginIsAnsweredIsNotRead() {
        var session = MySQLConversation(loggedIn: nil)
        session.greet(.init())
        session.shakeHands(.init())
        session.query()
        #expect(!session.isReadable)
        session.check()
    }

    @Test func changingTheUserIsALoginAgain() {
        var session = MySQLConversation()
        session.query("begin")
        session.server(1, MySQLConversation.ok(MySQLConversation.inTransaction))
        session.client(0, [0x11] + Array("other\u{0}".utf8))
        #expect(session.errorSequence == 1)
        session.server(1, [0xfe] + Array("mysql_native_password\u{0}abcdefghijklmnopqrst\u{0}".utf8))
        #expect(session.errorSequence == nil)
        session.client(2, [UInt8](repeating: 3, count: 20))
        #expect(!session.isAtBoundary)
        session.server(3, MySQLConversation.ok())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func aFailedChangeOfTheUserIsNotReadOn() {
        var session = MySQLConversation()
        session.client(0, [0x11] + Array("other\u{0}".utf8))
        session.server(1, MySQLConversation.error(1045))
        #expect(!session.isReadable)
        session.check()
    }
}
