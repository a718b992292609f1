import Testing

@testable import FailoverProxy

@Suite("Whether a client's first encrypted message is whole")
struct FirstFlightTests {
    private func record(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        [type, 3, 1, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
    }

    private let hello: [UInt8] = [1, 0, 0, 6, 1, 2, 3, 4, 5, 6]

    private func isWholeOnlyAtTheEnd(_ bytes: [UInt8]) -> Bool {
        (0..<bytes.count).allSatisfy { !FirstFlight.isWholeTLS(Array(bytes.prefix($0))) }
            && FirstFlight.isWholeTLS(bytes)
    }

    @Test func aClientHelloMayComeInSeveralRecords() {
        #expect(isWholeOnlyAtTheEnd(record(22, hello)))
        #expect(isWholeOnlyAtTheEnd(record(22, Array(hello.prefix(2))) + record(22, Array(hello.dropFirst(2)))))
        #expect(FirstFlight.isWholeTLS(record(22, hello) + [23, 3]))
    }

    @Test func whatNoServerTakesIsWholeAsSoonAsThatIsKnown() {
        #expect(isWholeOnlyAtTheEnd(Array("GET /".utf8)))
        #expect(isWholeOnlyAtTheEnd([22, 2, 0, 0, 9]))
        #expect(isWholeOnlyAtTheEnd([22, 3, 1, 0, 0]))
        #expect(isWholeOnlyAtTheEnd([22, 3, 1, 0xff, 0xff]))
        #expect(isWholeOnlyAtTheEnd(record(21, [2, 40])))
        #expect(isWholeOnlyAtTheEnd(record(22, [2, 0, 0, 0])))
    }

    @Test func aTokenOfGSSAPIComesBehindItsLength() {
        let token: [UInt8] = [0, 0, 0, 3, 7, 7, 7]
        for count in 0..<token.count { #expect(!FirstFlight.isWholeGSSAPI(Array(token.prefix(count)))) }
        #expect(FirstFlight.isWholeGSSAPI(token))
        #expect(FirstFlight.isWholeGSSAPI([255, 255, 255, 255]))
        #expect(FirstFlight.isWholeGSSAPI([0, 0, 0, 0]))
    }
}
