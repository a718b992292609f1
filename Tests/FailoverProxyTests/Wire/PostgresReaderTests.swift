import Testing

@testable import FailoverProxy

@Suite("The state of a PostgreSQL session")
struct PostgresReaderTests {
    private typealias Wire = PostgresWire

    /// What one side sends.
    private enum Saying {
        case client([UInt8])
        case server([UInt8])
    }

    /// The reader after a login and these messages, each in pieces of `piece` bytes.
    private func reader(_ sayings: [Saying], piece: Int, login: Bool = true) -> PostgresReader {
        var reader = PostgresReader()
        for saying in (login ? [.server(Wire.welcome)] : []) + sayings {
            switch saying {
            case .client(let bytes): Self.cut(bytes, piece) { reader.clientSent($0) }
            case .server(let bytes): Self.cut(bytes, piece) { reader.serverSent($0) }
            }
        }
        return reader
    }

    private static func cut(_ bytes: [UInt8], _ piece: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeBytes { whole in
            for start in stride(from: 0, to: whole.count, by: piece) {
                body(UnsafeRawBufferPointer(rebasing: whole[start..<min(whole.count, start + piece)]))
            }
        }
    }

    /// Whether the session is at a boundary. The result must not depend on how the stream is cut.
    private func isAtBoundary(_ sayings: Saying..., login: Bool = true) -> Bool {
        let answers = [Int.max, 1, 2, 3, 5, 6, 7].map { reader(sayings, piece: $0, login: login).isAtBoundary }
        #expect(Set(answers).count == 1, "depends on how the stream is cut: \(answers)")
        return answers[0]
    }

    @Test func aSessionIsAtABoundaryOnceItIsLoggedIn() {
        #expect(!isAtBoundary(login: false))
        #expect(!isAtBoundary(.server(Wire.message("R", [0, 0, 0, 0])), login: false))
        #expect(!isAtBoundary(.client(Wire.message("p", [1])), .server(Wire.message("R", [0, 0, 0, 0])), login: false))
        #expect(isAtBoundary())
    }

    @Test func aQueryIsABoundaryOnlyWhenItIsAnswered() {
        #expect(!isAtBoundary(.client(Wire.query("select 1"))))
        #expect(!isAtBoundary(.client(Wire.query("select 1")), .server(Wire.message("D", [0, 0]))))
        #expect(isAtBoundary(.client(Wire.query("select 1")), .server(Wire.message("C") + Wire.ready("I"))))
    }

    @Test func aTransactionIsNoBoundaryFailedOrNot() {
        #expect(!isAtBoundary(.client(Wire.query("begin")), .server(Wire.ready("T"))))
        #expect(!isAtBoundary(.client(Wire.query("oops")), .server(Wire.error("42601") + Wire.ready("E"))))
        #expect(
            isAtBoundary(
                .client(Wire.query("begin")), .server(Wire.ready("T")), .client(Wire.query("commit")),
                .server(Wire.ready("I"))))
    }

    @Test func halfARequestAndHalfAnAnswerAreNoBoundary() {
        #expect(!isAtBoundary(.client(Array(Wire.query("select 1").prefix(3)))))
        #expect(!isAtBoundary(.client(Array(Wire.query("select 1").dropLast()))))
        #expect(!isAtBoundary(.server(Array(Wire.message("N", [1, 2, 3]).dropLast()))))
        #expect(isAtBoundary(.server(Wire.message("N", [1, 2, 3]))))
    }

    @Test func aPipelineIsABoundaryWhenAllOfItIsAnswered() {
        let batch = Wire.message("P", [0]) + Wire.message("B", [0]) + Wire.message("E", [0])
        let sync = Wire.message("S")
        #expect(!isAtBoundary(.client(batch)))
        #expect(!isAtBoundary(.client(batch), .server(Wire.message("1") + Wire.message("2") + Wire.message("C"))))
        #expect(!isAtBoundary(.client(batch + sync + batch + sync), .server(Wire.ready("I"))))
        #expect(!isAtBoundary(.client(batch + sync + batch), .server(Wire.ready("I"))))
        #expect(isAtBoundary(.client(batch + sync + batch + sync), .server(Wire.ready("I") + Wire.ready("I"))))
    }

    @Test func copyIsABoundaryWhenItsQueryIsAnswered() {
        let copyIn = Wire.message("G", [0, 0, 0])
        let data = Wire.message("d", [1, 2, 3])
        #expect(!isAtBoundary(.client(Wire.query("copy t from stdin")), .server(copyIn), .client(data)))
        #expect(
            isAtBoundary(
                .client(Wire.query("copy t from stdin")), .server(copyIn), .client(data + Wire.message("c")),
                .server(Wire.message("C") + Wire.ready("I"))))
        // A Sync that the server ignores during COPY is awaited without end: no boundary rather than a false one.
        #expect(
            !isAtBoundary(
                .client(Wire.query("copy t from stdin")), .server(copyIn),
                .client(Wire.message("S") + Wire.message("c")), .server(Wire.message("C") + Wire.ready("I"))))
    }

    @Test func whoSaysGoodbyeIsNotAtABoundary() {
        #expect(!isAtBoundary(.client(Wire.message("X"))))
    }

    @Test func anErrorOfAShutdownIsNoticedAndOthersAreNot() {
        #expect(reader([.server(Wire.error("57P01"))], piece: .max).heard.contains(.shutdown))
        #expect(reader([.server(Wire.error("57P02"))], piece: .max).heard.contains(.shutdown))
        #expect(!reader([.server(Wire.error("42601"))], piece: .max).heard.contains(.shutdown))
    }

    @Test func noRoomIsNoticedDuringTheLoginOnly() {
        let login = Saying.server(Wire.message("R", [0, 0, 0, 0]))
        func heard(_ sayings: Saying..., login: Bool) -> ServerSigns {
            reader(sayings, piece: .max, login: login).heard
        }
        #expect(heard(login, .server(Wire.error("53300")), login: false) == .full)
        #expect(heard(login, .server(Wire.error("28P01")), login: false) == [])
        #expect(heard(.server(Wire.error("53300")), login: true) == [])
    }

    @Test func aServerOwesAnAnswerFromARequestToReadyForQueryOrAnError() {
        let (ready, asked) = (Saying.server(Wire.ready("I")), Saying.client(Wire.query("q")))
        func owes(_ sayings: Saying..., login: Bool = true) -> Bool {
            reader(sayings, piece: .max, login: login).owesAnswer
        }
        #expect(!owes(login: false))
        #expect(!owes(asked, login: false))
        #expect(!owes())
        #expect(owes(asked))
        #expect(owes(asked, .server(Wire.message("D", [0, 0]))))
        #expect(!owes(asked, .server(Wire.error("57014"))))
        #expect(!owes(asked, ready))
        #expect(owes(asked, .server(Wire.error("42601")), ready, asked))
    }

    @Test func aWordOfTheProxyFitsBetweenMessagesOnly() {
        #expect(reader([], piece: .max).mayTellClient)
        #expect(reader([.client(Wire.query("select 1"))], piece: .max).mayTellClient)
        #expect(!reader([.server(Array(Wire.message("D", [1, 2]).dropLast()))], piece: .max).mayTellClient)
        #expect(!reader([.client(Wire.message("X"))], piece: .max).mayTellClient)
    }

    @Test func aLengthBelowFourIsNotPostgreSQLAndNeverBecomesIt() {
        var reader = reader([.server([UInt8(ascii: "D"), 0, 0, 0, 3, 9])], piece: .max)
        #expect(!reader.isReadable)
        Wire.ready("I").withUnsafeBytes { reader.serverSent($0) }
        #expect(!reader.isReadable)
        #expect(!reader.isAtBoundary)
    }
}
