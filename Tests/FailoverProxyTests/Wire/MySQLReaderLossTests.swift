import Testing

@testable import FailoverProxy

@Suite("What makes the reader lose a MySQL session")
struct MySQLReaderLossTests {
    private typealias Talk = MySQLConversation

    @Test func aWordOfTheServersThatNobodyAskedFor() {
        var session = Talk()
        session.server(1, Talk.ok())
        #expect(!session.isReadable)
        session.check()
    }

    @Test func aGapInTheServersNumbers() {
        var session = Talk()
        session.query()
        session.server(2, Talk.ok())
        #expect(!session.isReadable)
        session.check()
    }

    @Test func aCommandThatIsNotNumberedZero() {
        var session = Talk()
        session.client(1, [0x0e])
        #expect(!session.isReadable)
        session.check()
    }

    @Test func anEmptyCommand() {
        var session = Talk()
        session.client(0, [])
        #expect(!session.isReadable)
        session.check()
    }

    @Test func anAnswerToHalfACommand() {
        var session = Talk()
        session.say(.client([200, 0, 0, 0, 3] + [UInt8](repeating: 32, count: 50)))
        session.server(1, Talk.ok())
        #expect(!session.isReadable)
        session.check()
    }

    @Test(
        arguments: [
            [0], [0, 0, 0, 2], [0xfe], [0xfe, 0, 0, 2], [0xfc, 1], [0xfc, 0, 0], [2, 1], [0xfd, 0, 0, 1], [],
        ] as [[UInt8]])
    func anAnswerThatIsNone(_ body: [UInt8]) {
        var session = Talk()
        session.query()
        session.server(1, body)
        #expect(!session.isReadable)
        session.check()
    }

    @Test(arguments: [[0], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], []] as [[UInt8]])
    func anAnswerToPrepareThatIsNone(_ body: [UInt8]) {
        var session = Talk()
        session.client(0, [0x16, 32])
        session.server(1, body)
        #expect(!session.isReadable)
        session.check()
    }

    @Test func anEndOfDefinitionsAtTheWrongPlace() {
        var early = Talk()
        early.query()
        early.server(1, [2])
        early.server(2, Talk.definition)
        early.server(3, Talk.eof())
        #expect(!early.isReadable)
        var late = Talk()
        late.query()
        late.server(1, [1])
        late.server(2, Talk.definition)
        late.server(3, Talk.definition)
        #expect(!late.isReadable)
        early.check()
        late.check()
    }

    @Test func anEndOfRowsOfTheOtherKind() {
        var session = Talk()
        session.query()
        session.server(1, [1])
        session.server(2, Talk.definition)
        session.server(3, Talk.eof())
        session.server(4, Talk.ok(header: 0xfe))
        #expect(!session.isReadable)
        session.check()
    }

    @Test func aRequestForAFileWhileTheClientSaysSomethingElse() {
        var session = Talk()
        session.query("load data local infile 'x' into table t")
        session.say(.client([9, 0]))
        session.server(1, [0xfb, 120])
        #expect(!session.isReadable)
        session.check()
    }

    @Test func aLoginThatGoesOnThoughTheClientHasSentCommands() {
        var session = Talk()
        session.client(0, [0x11] + Array("other\u{0}".utf8))
        session.query()
        session.server(1, [0xfe] + Array("mysql_native_password\u{0}abcdefghijklmnopqrst\u{0}".utf8))
        #expect(!session.isReadable)
        session.check()
    }

    @Test func aBinaryRowThatIsNone() {
        var session = Talk()
        session.client(0, Talk.execute())
        session.result(row: [1, 49])
        #expect(!session.isReadable)
        session.check()
    }

    @Test func whatIsLostStaysLost() {
        var session = Talk()
        session.server(1, Talk.ok())
        session.greet(.init())
        session.shakeHands(.init())
        session.server(2, Talk.ok())
        #expect(!session.isReadable)
        #expect(!session.isAtBoundary)
        session.check()
    }
}
