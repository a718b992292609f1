import FailoverCore
import Testing

@testable import FailoverProxy

@Suite("Addresses that are tried last")
struct DeadAddressesTests {
    private let a = SocketAddress(bytes: [1], description: "a")
    private let b = SocketAddress(bytes: [2], description: "b")
    private let c = SocketAddress(bytes: [3], description: "c")
    private let dead = DeadAddresses()

    private func order(at now: UInt64) -> [SocketAddress] {
        dead.ordered([RouteTable.Candidate(alias: 0, addresses: [a, b, c])], now: now)[0].addresses
    }

    @Test func aDeadOneComesBehindTheOthersForHalfAMinute() {
        #expect(order(at: 0) == [a, b, c])
        dead.note(.init(address: a, serves: false), now: 0)
        #expect(order(at: 29_000_000_000) == [b, c, a])
        #expect(order(at: 30_000_000_000) == [a, b, c])
    }

    @Test func oneThatServesIsDeadNoMore() {
        for address in [a, b] { dead.note(.init(address: address, serves: false), now: 0) }
        #expect(order(at: 1) == [c, a, b])
        dead.note(.init(address: a, serves: true), now: 2)
        #expect(order(at: 3) == [a, c, b])
        dead.forget([b])
        #expect(order(at: 3) == [a, b, c])
    }

    @Test func noMoreAreRememberedThanMayBe() {
        for number in 0..<3000 {
            let bytes = [9, UInt8(number >> 8), UInt8(number & 0xff)]
            dead.note(.init(address: SocketAddress(bytes: bytes, description: ""), serves: false), now: 0)
        }
        dead.note(.init(address: a, serves: false), now: 0)
        #expect(order(at: 1) == [a, b, c])
        // Old addresses are removed to make room.
        dead.note(.init(address: a, serves: false), now: 40_000_000_000)
        #expect(order(at: 40_000_000_001) == [b, c, a])
    }
}
