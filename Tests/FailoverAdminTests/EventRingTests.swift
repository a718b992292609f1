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

    /// A follower leaves under a lock of its task. Sending to the follower needs the same lock.
    @Test(.timeLimit(.minutes(5))) func followersThatLeaveWhileTheyAreToldHoldUpNobody() async {
        let ring = EventRing()
        let event = event(1)
        await withDiscardingTaskGroup { group in
            group.addTask { for _ in 0..<200_000 { ring.add(event) } }
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<2_000 {
                        let follower = Task { for await _ in ring.follow() {} }
                        await Task.yield()
                        follower.cancel()
                        await follower.value
                    }
                }
            }
        }
        #expect(ring.latest(1).first?.id == 200_000)
    }
}
