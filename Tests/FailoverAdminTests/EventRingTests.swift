import FailoverCore
import Testing

@testable import FailoverAdmin

@Suite("The latest events")
struct EventRingTests {
    private func event(_ number: Int) -> AdminEvent {
        AdminEvent(.drain, "a\(number)", "drained", at: WallTime(sinceEpoch: .zero))
    }

    @Test func theOldestAreForgottenAndTheNumbersGoOn() {
        let ring = EventRing()
        for number in 1...1500 { ring.add(event(number)) }
        let latest = ring.latest(2000)
        #expect(latest.count == EventRing.capacity)
        #expect(latest.first?.id == 1500)
        #expect(latest.last?.id == 501)
        #expect(ring.latest(2).map(\.subject) == ["a1500", "a1499"])
    }

    @Test func aFollowerGetsWhatComesAfterItAndNoMoreThanItTakes() async {
        let ring = EventRing()
        ring.add(event(1))
        let events = ring.follow()
        for number in 2...1000 { ring.add(event(number)) }
        var ids: [Int] = []
        for await event in events {
            ids.append(event.id)
            if event.id == 1000 { break }
        }
        #expect(ids == Array(901...1000))
    }
}
