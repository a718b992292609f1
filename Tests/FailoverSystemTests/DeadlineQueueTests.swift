import Testing

@testable import FailoverSystem

@Suite("Deadlines by slot")
struct DeadlineQueueTests {
    @Test func theEarliestComesFirst() {
        var queue = DeadlineQueue()
        queue.set(30, forSlot: 3)
        queue.set(10, forSlot: 1)
        queue.set(20, forSlot: 2)
        #expect(queue.first == 10)
        #expect(queue.popExpired(now: 9) == nil)
        #expect(queue.popExpired(now: 25) == 1)
        #expect(queue.popExpired(now: 25) == 2)
        #expect(queue.popExpired(now: 25) == nil)
    }

    @Test func aSlotHasOneDeadlineThatCanMoveAndGo() {
        var queue = DeadlineQueue()
        queue.set(10, forSlot: 1)
        queue.set(50, forSlot: 1)
        queue.set(40, forSlot: 2)
        #expect(queue.first == 40)
        queue.set(nil, forSlot: 2)
        #expect(queue.first == 50)
        queue.set(nil, forSlot: 1)
        #expect(queue.first == nil)
        queue.set(nil, forSlot: 1)
        queue.set(nil, forSlot: 99)
        #expect(queue.first == nil)
    }

    @Test(arguments: 0..<50)
    func agreesWithASortedListUnderRandomChanges(seed: Int) {
        var random = SystemRandomNumberGenerator()
        var queue = DeadlineQueue()
        var expected: [Int: UInt64] = [:]
        for _ in 0..<500 {
            let slot = Int.random(in: 0..<40, using: &random)
            let deadline = Bool.random() ? UInt64.random(in: 0..<1000, using: &random) : nil
            queue.set(deadline, forSlot: slot)
            expected[slot] = deadline
            #expect(queue.first == expected.values.min())
        }
        var popped: [UInt64] = []
        while let slot = queue.popExpired(now: 1000) { popped.append(expected.removeValue(forKey: slot) ?? .max) }
        #expect(expected.isEmpty)
        #expect(popped == popped.sorted())
    }
}
