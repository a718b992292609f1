import Testing

@testable import FailoverProxy

@Suite("Prepared MySQL statements and their cursors")
struct MySQLReaderStatementTests {
    private typealias Talk = MySQLConversation
    private static let cursorExists: UInt16 = 0x0042
    private static let lastRowSent: UInt16 = 0x0082

    private func prepare(_ session: inout MySQLConversation) { session.client(0, [0x16] + Array("select ?".utf8)) }

    /// Executes with a cursor; the answer ends with the definitions.
    private func openCursor(_ session: inout MySQLConversation, of id: UInt8 = 1) {
        session.client(0, Talk.execute(id: id, cursor: true))
        session.server(1, [1])
        session.server(2, Talk.definition)
        session.server(3, Talk.eof(Self.cursorExists))
    }

    private func fetch(_ session: inout MySQLConversation, of id: UInt8 = 1, status: UInt16) {
        session.client(0, [0x1c, id, 0, 0, 0, 1, 0, 0, 0])
        #expect(session.errorSequence == 1)
        session.server(1, [0, 0, 1])
        session.server(2, Talk.eof(status))
    }

    private func ping(_ session: inout MySQLConversation) {
        session.client(0, [0x0e])
        session.server(1, Talk.ok())
    }

    @Test(arguments: [UInt8(0), 1, 2], [UInt8(0), 1, 2])
    func definitionsOfParametersAndColumnsAreCounted(parameters: UInt8, columns: UInt8) {
        for ends in [true, false] {
            var session = Talk(loggedIn: ends ? .init() : .deprecateEOF)
            prepare(&session)
            var packets = [Talk.prepareOK(id: 1, columns: columns, parameters: parameters)]
            for count in [parameters, columns] where count > 0 {
                packets += Array(repeating: Talk.definition, count: Int(count)) + (ends ? [Talk.eof()] : [])
            }
            for (index, packet) in packets.enumerated() {
                #expect(!session.isAtBoundary)
                session.server(UInt8(index + 1), packet)
            }
            #expect(session.isAtBoundary)
            session.check()
        }
    }

    @Test func aFailedPrepareIsABoundary() {
        var session = Talk()
        prepare(&session)
        session.server(1, Talk.error())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test(arguments: [UInt8(0x17), 0xfa])
    func executeIsAnsweredByOKOrBinaryRows(command: UInt8) {
        var session = Talk()
        session.client(0, [command] + Talk.execute().dropFirst())
        session.server(1, Talk.ok())
        #expect(session.isAtBoundary)
        session.client(0, [command] + Talk.execute().dropFirst())
        session.result(rows: 3, row: [0, 0, 1, 49])
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func closingAStatementIsNotAnswered() {
        var session = Talk()
        session.say(.client([5, 0, 0, 0, 0x19, 1, 0]))
        #expect(!session.isAtBoundary)
        session.say(.client([0, 0]))
        #expect(session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.check()
    }

    @Test func longDataIsNoBoundaryUntilItsStatementIsExecutedOrClosed() {
        for ending in [Talk.execute(), [0x1a, 1, 0, 0, 0], [0x19, 1, 0, 0, 0]] {
            var session = Talk()
            session.client(0, [0x18, 1, 0, 0, 0, 0, 0] + Array("part".utf8))
            #expect(!session.isAtBoundary)
            #expect(session.errorSequence == nil)
            session.client(0, ending)
            if ending.first != 0x19 { session.server(1, Talk.ok()) }
            #expect(session.isAtBoundary)
            session.check()
        }
    }

    @Test func prepareAndExecuteMayBeSentAtOnce() {
        var session = Talk()
        prepare(&session)
        session.client(0, [0x17, 0xff, 0xff, 0xff, 0xff, 1, 1, 0, 0, 0])
        session.server(1, Talk.prepareOK(id: 7, columns: 1, parameters: 0))
        session.server(2, Talk.definition)
        session.server(3, Talk.eof())
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == 1)
        session.server(1, [1])
        session.server(2, Talk.definition)
        session.server(3, Talk.eof(Self.cursorExists))
        #expect(!session.isAtBoundary)
        // The cursor belongs to the statement that was prepared.
        session.client(0, [0x19, 7, 0, 0, 0])
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func anOpenCursorIsNoBoundaryUntilItsLastRow() {
        var session = Talk()
        openCursor(&session)
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == nil)
        fetch(&session, status: Self.cursorExists)
        #expect(!session.isAtBoundary)
        session.query()
        session.result()
        #expect(!session.isAtBoundary)
        fetch(&session, status: Self.lastRowSent)
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func aCursorIsOpenedWithoutEOFToo() {
        var session = Talk(loggedIn: .deprecateEOF)
        session.client(0, Talk.execute(cursor: true))
        session.server(1, [1])
        session.server(2, Talk.definition)
        session.server(3, Talk.ok(Self.cursorExists, header: 0xfe))
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.client(0, [0x1c, 1, 0, 0, 0, 1, 0, 0, 0])
        session.server(1, Talk.ok(Self.lastRowSent, header: 0xfe))
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func resettingOrClosingTheStatementClosesItsCursor() {
        var session = Talk()
        openCursor(&session)
        session.client(0, [0x1a, 1, 0, 0, 0])
        session.server(1, Talk.ok())
        #expect(session.isAtBoundary)
        openCursor(&session)
        session.client(0, [0x19, 1, 0, 0, 0])
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func executingAgainClosesTheCursorUnlessThatFails() {
        var session = Talk()
        openCursor(&session)
        session.client(0, Talk.execute())
        session.server(1, Talk.error())
        ping(&session)
        #expect(!session.isAtBoundary)
        session.client(0, Talk.execute())
        session.server(1, Talk.ok())
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func aCursorOfAnEarlierResultStaysOpen() {
        var session = Talk()
        session.client(0, Talk.execute(cursor: true))
        session.server(1, [1])
        session.server(2, Talk.definition)
        session.server(3, Talk.eof(Self.cursorExists | 8))
        session.server(4, Talk.ok())
        #expect(!session.isAtBoundary)
        #expect(session.errorSequence == nil)
        session.check()
    }

    @Test func afterAFailedPrepareTheLatestStatementIsNone() {
        var session = Talk()
        prepare(&session)
        session.server(1, Talk.prepareOK(id: 1, columns: 0, parameters: 0))
        openCursor(&session)
        prepare(&session)
        session.server(1, Talk.error())
        session.client(0, [0x17, 0xff, 0xff, 0xff, 0xff, 0, 1, 0, 0, 0])
        session.server(1, Talk.ok())
        #expect(!session.isAtBoundary)
        session.check()
    }

    @Test func closingAStatementBehindAQueryLeavesTheClientWaiting() {
        var session = Talk()
        session.query()
        session.say(.client([100, 0, 0, 0, 0x19] + [UInt8](repeating: 0, count: 40)))
        #expect(session.errorSequence == 1)
        session.result()
        #expect(session.isReadable)
        #expect(!session.isAtBoundary)
        session.check()
    }

    @Test func eachCursorIsClosedOnItsOwn() {
        var session = Talk()
        openCursor(&session, of: 1)
        openCursor(&session, of: 2)
        session.client(0, [0x19, 1, 0, 0, 0])
        #expect(!session.isAtBoundary)
        session.client(0, [0x19, 3, 0, 0, 0])
        #expect(!session.isAtBoundary)
        fetch(&session, of: 2, status: Self.lastRowSent)
        #expect(session.isAtBoundary)
        session.check()
    }

    @Test func moreCursorsThanAnyClientNeedsAreNotFollowed() {
        var session = Talk()
        for id in 1...MySQLReader.cursorLimit { openCursor(&session, of: UInt8(id)) }
        #expect(session.isReadable)
        openCursor(&session, of: 200)
        #expect(!session.isReadable)
        session.check()
    }

    @Test func theReaderIsSmallAndHoldsNothingWhileIdle() {
        #expect(MemoryLayout<MySQLReader>.size <= 80)
        var session = Talk()
        openCursor(&session)
        fetch(&session, status: Self.lastRowSent)
        #expect(session.reader.heldBytes == 0)
    }
}
