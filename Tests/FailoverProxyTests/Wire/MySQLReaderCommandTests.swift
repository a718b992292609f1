import Testing

@testable import FailoverProxy

@Suite("MySQL commands beside queries")
struct MySQLReaderCommandTests {
    private typealias Talk = MySQLConversation

    // INIT_DB, REFRESH, SHUTDOWN, PROCESS_KILL, DEBUG, PING, SET_OPTION, STMT_RESET, RESET_CONNECTION
    @Test(arguments: [0x02, 0x07, 0x08, 0x0c, 0x0d, 0x0e, 0x1b, 0x1a, 0x1f] as [UInt8])
    func aSimpleCommandIsAnsweredByOKOrEOF(command: UInt8) {
        for answer in [Talk.ok(), Talk.eof(), Talk.ok(header: 0xfe)] {
            var session = Talk()
            session.client(0, [command, 1, 0, 0, 0])
            #expect(!session.isAtBoundary)
            #expect(session.errorSequence == 1)
            session.server(1, answer)
            #expect(session.isAtBoundary)
            session.check()
        }
    }

    @Test func statisticsAreAnsweredByText() {
        var session = Talk()
        session.client(0, [0x09])
        session.server(1, Array("Uptime: 1  Threads: 1".utf8))
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func aListOfFieldsEndsWithEOF() {
        var session = Talk()
        session.client(0, [0x04] + Array("t\u{0}".utf8))
        session.server(1, Talk.definition)
        session.server(2, Talk.definition)
        #expect(!session.isAtBoundary)
        session.server(3, Talk.eof())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func theProcessListIsAResult() {
        var session = Talk()
        session.client(0, [0x0a])
        session.result()
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func afterQuitThereIsNoBoundary() {
        var session = Talk()
        session.client(0, [0x01])
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == nil)
        #expect(session.isReadable)
        session.check()
    }

    // SLEEP, BINLOG_DUMP, TABLE_DUMP, REGISTER_SLAVE, BINLOG_DUMP_GTID, CLONE, and one that does not exist.
    @Test(arguments: [0x00, 0x12, 0x13, 0x15, 0x1e, 0x20, 0x77] as [UInt8])
    func replicationAndUnknownCommandsAreOpaque(command: UInt8) {
        var session = Talk()
        session.client(0, [command, 0, 0, 0, 0])
        #expect(!session.isReadable)
        session.query()
        session.result()
        #expect(!session.isReadable)
        #expect(!session.isAtBoundary)
        session.check()
    }

    @Test func resettingTheConnectionClosesTransactionAndCursors() {
        var session = Talk()
        session.client(0, Talk.execute(cursor: true))
        session.server(1, [1])
        session.server(2, Talk.definition)
        session.server(3, Talk.eof(Talk.inTransaction | 0x40))
        #expect(!session.isAtBoundary)
        session.client(0, [0x1f])
        session.server(1, Talk.ok())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func pipelinedCommandsAreAnsweredInTurn() {
        var session = Talk()
        session.query("begin")
        session.query()
        session.client(0, [0x0e])
        session.query("commit")
        #expect(session.errorSequence == 1)
        session.server(1, Talk.ok(Talk.inTransaction))
        #expect(session.errorSequence == 1)
        session.result(status: Talk.inTransaction)
        session.server(1, Talk.ok(Talk.inTransaction))
        #expect(!session.isAtBoundary)
        session.server(1, Talk.ok())
        #expect(session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.check()
    }

    @Test func anAnswerWithinAPipelineIsNoBoundary() {
        var session = Talk()
        session.query()
        session.query()
        session.result()
        #expect(!session.isAtBoundary)
        session.result()
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func aPipelineOfThousandCommandsIsFollowedAndALongerOneIsNot() {
        var session = Talk()
        for _ in 0...MySQLReader.queueLimit { session.client(0, [0x0e]) }
        #expect(session.isReadable)
        for _ in 0..<MySQLReader.queueLimit { session.server(1, Talk.ok()) }
        #expect(!session.isAtBoundary)
        session.server(1, Talk.ok())
        #expect(session.isAtBoundary)
        for _ in 0...(MySQLReader.queueLimit + 1) { session.client(0, [0x0e]) }
        #expect(!session.isReadable)
        session.check()
    }

    @Test func aRequestForAFileWithinAPipelineIsNotRead() {
        var session = Talk()
        session.query("load data local infile 'x' into table t")
        session.query()
        session.server(1, [0xfb, 120])
        #expect(!session.isReadable)
        session.check()
    }

    @Test func aShutdownIsSeenWhetherAskedForOrNot() {
        var asked = Talk()
        asked.query()
        asked.server(1, Talk.error(1053))
        #expect(asked.reader.heard.contains(.shutdown))
        #expect(!asked.isAtBoundary)
        asked.check()
        var idle = Talk()
        idle.server(1, Talk.error(1053))
        #expect(idle.reader.heard.contains(.shutdown))
        #expect(!idle.isAtBoundary)
        #expect(idle.errorSequence == nil)
        idle.check()
    }

    @Test func anyOtherErrorIsNoShutdown() {
        var session = Talk()
        session.query()
        session.server(1, Talk.error(1927))
        #expect(!session.reader.heard.contains(.shutdown))
        session.check()
    }
}
