import FailoverTesting
import Testing

@testable import FailoverProxy

/// Random sessions of commands and answers, checked against a model of their state.
@Suite("MySQL sessions at random")
struct MySQLRandomSessionTests {
    private typealias Talk = MySQLConversation

    /// A client that sometimes pipelines, and a server that answers in order.
    private struct Session {
        var talk: MySQLConversation
        let deprecatesEOF: Bool
        var inTransaction = false
        var isUnknown = false
        var cursors: Set<UInt8> = []
        /// The server's pending answers, one closure per command.
        var owed: [(inout Session, inout SplitMix) -> Void] = []

        init(deprecatesEOF: Bool) {
            self.deprecatesEOF = deprecatesEOF
            talk = Talk(loggedIn: deprecatesEOF ? .deprecateEOF : .init())
        }

        var isAtBoundary: Bool { owed.isEmpty && !inTransaction && !isUnknown && cursors.isEmpty }

        mutating func note(_ random: inout SplitMix, more: Bool = false, flags: UInt16 = 0) -> UInt16 {
            inTransaction = Bool.random(using: &random)
            isUnknown = false
            return (inTransaction ? 3 : 2) | (more ? 8 : 0) | flags
        }

        mutating func ask(_ random: inout SplitMix) {
            let id = UInt8.random(in: 1...3, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0...2:
                talk.query()
                owed.append { $0.answer(&$1, row: [1, 49]) }
            case 3:
                talk.client(0, [0x0e])
                owed.append { session, random in session.talk.server(1, Talk.ok(session.note(&random))) }
            case 4:
                talk.client(0, Talk.execute(id: id))
                owed.append { session, random in
                    if session.answer(&random, row: [0, 0]) { session.cursors.remove(id) }
                }
            case 5:
                talk.client(0, Talk.execute(id: id, cursor: true))
                owed.append { $0.openCursor(of: id, &$1) }
            case 6:
                talk.client(0, [0x1c, id, 0, 0, 0, 1, 0, 0, 0])
                owed.append { $0.fetch(of: id, &$1) }
            default:
                talk.client(0, [0x16, 32])
                owed.append { session, _ in session.prepared(id: id) }
            }
        }

        /// Sends results, of which the last may be an error. Returns whether there was no error.
        @discardableResult
        mutating func answer(_ random: inout SplitMix, row: [UInt8]) -> Bool {
            var sequence: UInt8 = 1
            while true {
                let more = Int.random(in: 0..<4, using: &random) == 0
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    talk.server(sequence, Talk.error())
                    isUnknown = true
                    return false
                case 1:
                    talk.server(sequence, Talk.ok(note(&random, more: more)))
                    sequence &+= 1
                default:
                    let rows = Int.random(in: 0...3, using: &random)
                    talk.result(
                        from: sequence, rows: rows, row: row, status: note(&random, more: more),
                        deprecateEOF: deprecatesEOF)
                    sequence &+= UInt8(rows) + (deprecatesEOF ? 3 : 4)
                }
                if !more { return true }
            }
        }

        private func end(_ status: UInt16) -> [UInt8] {
            deprecatesEOF ? Talk.ok(status, header: 0xfe) : Talk.eof(status)
        }

        mutating func openCursor(of id: UInt8, _ random: inout SplitMix) {
            talk.server(1, [1])
            talk.server(2, Talk.definition)
            talk.server(3, end(note(&random, flags: 0x40)))
            cursors.insert(id)
        }

        mutating func fetch(of id: UInt8, _ random: inout SplitMix) {
            guard cursors.contains(id) else { return talk.server(1, Talk.error(1243)) }
            talk.server(1, [0, 0, 1])
            let isLast = Bool.random(using: &random)
            talk.server(2, end(note(&random, flags: isLast ? 0x80 : 0x40)))
            if isLast { cursors.remove(id) }
        }

        mutating func prepared(id: UInt8) {
            talk.server(1, Talk.prepareOK(id: id, columns: 1, parameters: 0))
            talk.server(2, Talk.definition)
            if !deprecatesEOF { talk.server(3, Talk.eof()) }
        }
    }

    @Test(arguments: 0..<40)
    func areAtABoundaryWhenTheModelIs(seed: UInt64) {
        var random = SplitMix(state: seed)
        var session = Session(deprecatesEOF: seed.isMultiple(of: 2))
        for step in 0..<200 {
            if session.owed.isEmpty || Int.random(in: 0..<5, using: &random) == 0 {
                session.ask(&random)
            } else {
                let answer = session.owed.removeFirst()
                answer(&session, &random)
            }
            #expect(session.talk.isReadable, "step \(step)")
            #expect(session.talk.isAtBoundary == session.isAtBoundary, "step \(step)")
            #expect((session.talk.errorSequence == nil) == session.owed.isEmpty, "step \(step)")
        }
        session.talk.check()
    }
}
