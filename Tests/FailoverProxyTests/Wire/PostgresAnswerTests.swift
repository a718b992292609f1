import FailoverCore
import Testing

@testable import FailoverProxy

@Suite("What a PostgreSQL server answers to a StartupMessage")
struct PostgresAnswerTests {
    private typealias Wire = PostgresWire

    @Test(arguments: 0...UInt8(5))
    func anErrorWithoutFieldsIsNoRefusal(_ length: UInt8) {
        let header = [UInt8(ascii: "E"), 0, 0, 0, length]
        #expect(PostgresAnswer(header) == (length == 5 ? .incomplete : .proof))
        #expect(PostgresAnswer(header + [0]) == .proof)
        #expect(PostgresAnswer(header + Wire.error("57P03")) == .proof)
    }

    @Test func anErrorIsWaitedForToItsEnd() {
        let error = Wire.error("57P03", "starting up")
        for count in 0..<error.count { #expect(PostgresAnswer(Array(error.prefix(count))) == .incomplete) }
        let expected = PostgresAnswer.refusal(PostgresErrorResponse(sqlState: "57P03", message: "starting up"))
        #expect(PostgresAnswer(error) == expected)
        #expect(PostgresAnswer(error + [1, 2, 3]) == expected)
    }
}
