import FailoverCore
import Testing

@testable import FailoverProxy

@Suite("What a PostgreSQL server's first answer means")
struct PostgresAnswerTests {
    private typealias Wire = PostgresWire

    private static let ok = Wire.message("R", [0, 0, 0, 0])
    private static let key = Wire.message("K", [0, 0, 0, 1, 0, 0, 0, 2])
    private static let forkFailure = "could not fork new process for connection: Resource temporarily unavailable"

    /// The results as the bytes arrive one by one. The last result is for all bytes.
    private func answers(_ bytes: [UInt8]) -> [PostgresAnswer] {
        bytes.indices.map { PostgresAnswer(Array(bytes[...$0])) }
    }

    @Test func aServerThatLetsTheClientInServesOnlyWhenItIsReady() {
        let bytes = Self.ok + Wire.message("S", Array("TimeZone\u{0}UTC\u{0}".utf8)) + Self.key + Wire.ready("I")
        let answers = answers(bytes)
        #expect(answers.prefix(Self.ok.count - 1).allSatisfy { $0 == .incomplete })
        #expect(answers[(Self.ok.count - 1)..<(bytes.count - 6)].allSatisfy { $0 == .letIn })
        #expect(answers.suffix(1) == [.proof])
    }

    @Test(arguments: ["53300", "53200", "57P01", "57P03"])
    func aRefusalAfterTheLoginIsNoProof(sqlState: String) {
        let bytes = Self.ok + Wire.error(sqlState, "not now")
        #expect(answers(bytes).dropLast().allSatisfy { $0 == .incomplete || $0 == .letIn })
        let kind = sqlState.hasPrefix("53") ? BackendErrorKind.tooManyConnections : .serverShutdown
        #expect(PostgresAnswer(bytes) == .refusal(kind, "\(sqlState): not now"))
    }

    /// PgBouncer has one code for nearly all errors, and only the text differs.
    @Test(arguments: [
        ("no more connections allowed (max_client_conn)", BackendErrorKind.tooManyConnections),
        ("client connections exceeded (max_db_client_connections)", .tooManyConnections),
        ("server login has been failing, try again later (server_login_retry)", .earlyClose),
        ("client_login_timeout (server down)", .earlyClose),
    ])
    func aPoolerThatCannotServeIsARefusal(message: String, kind: BackendErrorKind) {
        #expect(PostgresAnswer(Wire.error("08P01", message)) == .refusal(kind, "08P01: \(message)"))
    }

    @Test func anErrorOfTheClientsOwnAfterTheLoginIsProof() {
        for message in [
            "no such user: x", "password authentication failed", "bouncer config error",
            "unsupported startup parameter: max_client_conn", "unsupported startup parameter: query_wait_timeout",
        ] {
            #expect(PostgresAnswer(Wire.error("08P01", message)) == .proof)
        }
        #expect(PostgresAnswer(Self.ok + Wire.error("3D000", "no such database")) == .proof)
    }

    @Test func aServerThatAsksForAProofIsTheClientsAffair() {
        #expect(PostgresAnswer(Wire.message("R", [0, 0, 0, 10] + Array("SCRAM-SHA-256\u{0}\u{0}".utf8))) == .proof)
        #expect(PostgresAnswer(Wire.message("R", [0, 0, 0, 5, 1, 2, 3, 4])) == .proof)
    }

    @Test func aServerThatCannotForkSaysSoWithoutALength() {
        let bytes = Array("E\(Self.forkFailure)\n\u{0}".utf8)
        #expect(answers(bytes).dropLast().allSatisfy { $0 == .incomplete })
        #expect(PostgresAnswer(bytes) == .refusal(.tooManyConnections, Self.forkFailure))
    }

    @Test func suchWordsMayBeInAnyLanguageAndHaveNoEnd() {
        let message = "не удалось породить новый процесс"
        #expect(PostgresAnswer(Array("E\(message)\u{0}".utf8)) == .refusal(.tooManyConnections, message))
        let endless = [UInt8(ascii: "E")] + [UInt8](repeating: UInt8(ascii: "x"), count: 5000)
        guard case .refusal(.tooManyConnections, _) = PostgresAnswer(endless) else {
            Issue.record("waited for")
            return
        }
    }

    @Test func anErrorWithoutABodyIsProof() {
        #expect(PostgresAnswer([UInt8(ascii: "E"), 0, 0, 0, 4]) == .proof)
        #expect(PostgresAnswer([UInt8(ascii: "E"), 0, 0, 0, 3]) == .proof)
        #expect(PostgresAnswer([UInt8(ascii: "E"), 255, 255, 255, 255, 0]) == .proof)
        #expect(PostgresAnswer(Self.ok + [UInt8(ascii: "E"), 0, 0, 0, 4]) == .proof)
        #expect(PostgresAnswer(Self.ok + [UInt8(ascii: "S"), 0, 0, 0, 0, 0]) == .proof)
    }

    @Test func moreThanTheMostThatIsHeldIsProof() {
        let notice = Wire.message("N", [UInt8](repeating: 1, count: 30_000))
        #expect(PostgresAnswer(Self.ok + notice + notice) == .letIn)
        #expect(PostgresAnswer(Self.ok + notice + notice + notice) == .proof)
    }
}
