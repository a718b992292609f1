import Testing

@testable import FailoverProxy

@Suite("Answers to a MySQL query")
struct MySQLReaderResultTests {
    private typealias Talk = MySQLConversation

    @Test func noPartOfAQueryIsABoundaryUntilItsAnswerIsComplete() {
        var session = Talk()
        session.say(.client([9]))
        #expect(!session.isAtBoundary)
        session.say(.client([0, 0, 0, 3] + Array("select".utf8)))
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.say(.client(Array(" 1".utf8)))
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == 1)
        session.server(1, [1])
        #expect(session.errorSequence == 2)
        session.server(2, Talk.definition)
        session.server(3, Talk.eof())
        session.server(4, [1, 49])
        #expect(session.errorSequence == 5)
        #expect(!session.isAtBoundary)
        session.say(.server([5, 0, 0, 5, 0xfe, 0, 0, 2]))
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.say(.server([0]))
        #expect(session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.check()
    }

    @Test(arguments: [0, 1, 300])
    func resultsOfAnySizeEndWithEOF(rows: Int) {
        var session = Talk()
        session.query()
        session.result(rows: rows)
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test(arguments: [0, 1, 300])
    func resultsEndWithOKIfBothDeprecateEOF(rows: Int) {
        var session = Talk(loggedIn: .deprecateEOF)
        session.query()
        session.result(rows: rows, deprecateEOF: true)
        #expect(session.isAtBoundary)
        session.query()
        session.server(1, [1])
        session.server(2, Talk.definition)
        #expect(!session.isAtBoundary)
        session.server(3, Talk.ok(Talk.inTransaction, header: 0xfe))
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.check()
    }

    @Test func rowsThatBeginLikeOKAreRows() {
        var session = Talk()
        session.query()
        session.result(row: [0])
        #expect(session.isAtBoundary)
        session.query()
        session.result(row: [0xfb])
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func aTransactionIsNoBoundaryUntilItsEnd() {
        var session = Talk()
        session.query("begin")
        session.server(1, Talk.ok(Talk.inTransaction))
        #expect(!session.isAtBoundary)
        session.query()
        session.result(status: Talk.inTransaction)
        #expect(!session.isAtBoundary)
        session.query("commit")
        session.server(1, Talk.ok())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func largeCountsInAnOKPacketDoNotHideTheStatus() {
        var session = Talk()
        session.query("update")
        session.server(1, [0, 0xfc, 1, 1, 0xfe, 1, 2, 3, 4, 5, 6, 7, 8, 3, 0, 0, 0] + Array("(Rows matched: 1".utf8))
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.query("commit")
        session.server(1, [0, 0xfd, 1, 1, 1, 0, 2, 0, 0, 0])
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func anErrorWithinATransactionLeavesItOpen() {
        var session = Talk()
        session.query("begin")
        session.server(1, Talk.ok(Talk.inTransaction))
        session.query("nonsense")
        session.server(1, Talk.error())
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.query("rollback")
        session.server(1, Talk.ok())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func aFailedStatementMayHaveBegunATransactionSoTheNextStatusDecides() {
        var session = Talk()
        session.query("call begins_and_fails()")
        session.server(1, Talk.error(1644))
        #expect(!session.isAtBoundary)
        session.client(0, [0x0e])
        session.server(1, Talk.ok())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func aFailedCommandThatRunsNoStatementChangesNothing() {
        var session = Talk()
        session.client(0, [0x02] + Array("nowhere".utf8))
        session.server(1, Talk.error(1049))
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func anErrorMayEndAResultAnywhere() {
        let packets = [[1], Talk.definition, Talk.eof(), [1, 49]]
        for count in 0...packets.count {
            var session = Talk()
            session.query()
            for (index, packet) in packets.prefix(count).enumerated() { session.server(UInt8(index + 1), packet) }
            session.server(UInt8(count + 1), Talk.error(1317))
            #expect(session.isReadable)
            #expect(session.errorSequence == nil)
            session.query()
            session.result()
            #expect(session.isAtBoundary)
            session.check()
        }
    }

    @Test func moreResultsAreAwaited() {
        var session = Talk()
        session.query("select 1; do 1; select 2")
        session.result(status: Talk.moreResults)
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == 6)
        session.server(6, Talk.ok(Talk.moreResults))
        #expect(!session.isAtBoundary)
        session.result(from: 7)
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func sequenceNumbersStartAnewAfter255() {
        var session = Talk()
        session.query()
        session.server(1, [1])
        session.server(2, Talk.definition)
        session.server(3, Talk.eof())
        for row in 4...255 { session.server(UInt8(row), [1, 49]) }
        #expect(session.errorSequence == 0)
        session.server(0, Talk.eof())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func progressReportsAreNoErrors() {
        var session = Talk()
        session.query("alter table t engine=innodb")
        session.server(1, [0xff, 0xff, 0xff, 1, 1, 2, 0, 0, 0, 4] + Array("copy".utf8))
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == 2)
        session.server(2, Talk.ok())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func aFileOfTheClientsEndsWithAnEmptyPacket() {
        var session = Talk()
        session.query("load data local infile 'x' into table t")
        session.server(1, [0xfb] + Array("x".utf8))
        #expect(session.errorSequence == nil)
        session.client(2, Array("1\n".utf8))
        // Looks like a command, but is not one.
        session.client(3, [1])
        #expect(session.errorSequence == nil)
        session.client(4, [])
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == 5)
        session.server(5, Talk.ok())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func anAnswerBeforeTheFileHasEndedIsNotRead() {
        var session = Talk()
        session.query("load data local infile 'x' into table t")
        session.server(1, [0xfb] + Array("x".utf8))
        session.client(2, Array("1\n".utf8))
        session.server(3, Talk.error())
        #expect(!session.isReadable)
        session.check()
    }

    @Test func cachedDefinitionsAreLeftOut() {
        var session = Talk(loggedIn: .with(0, mariaDB: 1 << 4))
        session.query()
        session.server(1, [1, 1])
        session.server(2, Talk.definition)
        session.server(3, Talk.eof())
        session.server(4, [1, 49])
        session.server(5, Talk.eof())
        #expect(session.isAtBoundary)
        session.query()
        session.server(1, [1, 0])
        session.server(2, Talk.eof())
        session.server(3, [1, 49])
        #expect(!session.isAtBoundary)
        session.server(4, Talk.eof())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func cachedDefinitionsAreLeftOutWithoutEOFToo() {
        var session = Talk(loggedIn: .with(1 << 24, mariaDB: 1 << 4))
        session.query()
        session.server(1, [1, 0])
        session.server(2, [1, 49])
        #expect(!session.isAtBoundary)
        session.server(3, Talk.ok(header: 0xfe))
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func aMySQLClientsReservedBytesMeanNothing() {
        var flags = Talk.Flags.with(0, mariaDB: 1 << 4)
        flags.client |= 1
        var session = Talk(loggedIn: flags)
        session.query()
        session.result()
        #expect(session.isAtBoundary)
        session.check()
    }
}
