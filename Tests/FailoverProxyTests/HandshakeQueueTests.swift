import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Clients that wait for a TLS handshake")
struct HandshakeQueueTests {
    private func client(_ number: Int) -> HandshakeQueue.Client {
        HandshakeQueue.Client(session: UInt64(number), slot: number)
    }

    private func enter(_ numbers: ClosedRange<Int>, _ source: UInt64, _ queue: inout HandshakeQueue) -> [Bool] {
        numbers.map { queue.enter(client($0), source: source) }
    }

    @Test func oneSourceHasHalfOfTheHandshakesAndAnotherTheRest() {
        var queue = HandshakeQueue(limit: 4)
        #expect(enter(1...3, 1, &queue) == [true, true, false])
        #expect(enter(4...6, 2, &queue) == [true, true, false])
        #expect(queue.enter(client(7), source: 3) == false)
        #expect(queue.activeCount == 4)
        #expect(queue.waitingCount == 3)
    }

    @Test func sourcesTakeTurnsHoweverManyClientsTheyHave() {
        var queue = HandshakeQueue(limit: 2)
        #expect(queue.enter(client(1), source: 1) == true)
        #expect(queue.enter(client(2), source: 2) == true)
        for number in 10..<20 { #expect(queue.enter(client(number), source: 3) == false) }
        #expect(queue.enter(client(20), source: 4) == false)
        #expect(queue.enter(client(21), source: 4) == false)
        #expect(queue.leave(source: 1) == [client(10)])
        #expect(queue.leave(source: 2) == [client(20)])
        #expect(queue.leave(source: 3) == [client(11)])
        #expect(queue.leave(source: 4) == [client(21)])
        #expect(queue.leave(source: 3) == [client(12)])
    }

    @Test func aClientThatLeavesWhileItWaitsHasNoTurn() {
        var queue = HandshakeQueue(limit: 1)
        #expect(queue.enter(client(1), source: 1) == true)
        for number in 2...4 { #expect(queue.enter(client(number), source: 1) == false) }
        queue.forget(session: 2)
        queue.forget(session: 2)
        queue.forget(session: 99)
        #expect(queue.waitingCount == 2)
        #expect(queue.leave(source: 1) == [client(3)])
        queue.forget(session: 4)
        #expect(queue.leave(source: 1) == [])
        #expect(queue.activeCount == 0)
        #expect(queue.enter(client(5), source: 1) == true)
    }

    @Test func aHigherLimitAdmitsAtOnceAndALowerOneNobodyUntilEnoughHaveLeft() {
        var queue = HandshakeQueue(limit: 1)
        #expect(queue.enter(client(1), source: 1) == true)
        for number in 2...5 { #expect(queue.enter(client(number), source: UInt64(number)) == false) }
        #expect(queue.change(limit: 3) == [client(2), client(3)])
        #expect(queue.change(limit: 1) == [])
        #expect(queue.leave(source: 1) == [])
        #expect(queue.leave(source: 2) == [])
        #expect(queue.leave(source: 3) == [client(4)])
        #expect(queue.change(limit: -5) == [])
        #expect(queue.limit == 1)
    }

    @Test func anUnknownSourceThatLeavesChangesNothing() {
        var queue = HandshakeQueue(limit: 2)
        #expect(queue.leave(source: 1) == [])
        #expect(queue.enter(client(1), source: 1) == true)
        #expect(queue.leave(source: 2) == [])
        #expect(queue.activeCount == 1)
    }

    @Test func aLongLineKeepsItsOrder() {
        var queue = HandshakeQueue(limit: 1)
        #expect(queue.enter(client(0), source: 1) == true)
        for number in 1...2000 { #expect(queue.enter(client(number), source: 1) == false) }
        for number in 1...2000 { #expect(queue.leave(source: 1) == [client(number)]) }
        #expect(queue.leave(source: 1) == [])
    }
}

// MARK: - Random histories

/// The same queue written for clarity instead of speed.
private struct QueueModel {
    var limit: Int
    var active: [UInt64: Int] = [:]
    /// In the order of arrival.
    var waiting: [(client: HandshakeQueue.Client, source: UInt64)] = []

    var activeCount: Int { active.values.reduce(0, +) }

    func mayBegin(_ source: UInt64) -> Bool {
        activeCount < limit && active[source, default: 0] < max(1, limit / 2)
    }

    mutating func begin(_ client: HandshakeQueue.Client, _ source: UInt64) {
        waiting.removeAll { $0.client == client }
        active[source, default: 0] += 1
    }
}

extension HandshakeQueueTests {
    /// Each history is long enough that lines empty and fill many times.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func randomHistoriesKeepTheRules(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var queue = HandshakeQueue(limit: 4)
        var model = QueueModel(limit: 4)
        var sources: [UInt64: UInt64] = [:]
        /// How often other sources had a turn while a source with waiting clients could have begun.
        var passedOver: [UInt64: Int] = [:]
        for number in 1..<3000 {
            var admitted: [HandshakeQueue.Client] = []
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let (client, source) = (client(number), UInt64.random(in: 0..<5, using: &random))
                sources[client.session] = source
                let mayBegin = model.mayBegin(source)
                try #require(queue.enter(client, source: source) == mayBegin, "step \(number)")
                if mayBegin { model.begin(client, source) } else { model.waiting.append((client, source)) }
            case 5..<8:
                guard let source = model.active.keys.sorted().randomElement(using: &random) else { continue }
                model.active[source] = model.active[source].flatMap { $0 > 1 ? $0 - 1 : nil }
                admitted = queue.leave(source: source)
            case 8:
                guard let index = model.waiting.indices.randomElement(using: &random) else { continue }
                queue.forget(session: model.waiting.remove(at: index).client.session)
            default:
                model.limit = Int.random(in: 1..<9, using: &random)
                admitted = queue.change(limit: model.limit)
            }
            for client in admitted {
                let source = try #require(sources[client.session])
                try #require(model.mayBegin(source), "step \(number)")
                // The first of its source.
                try #require(model.waiting.first { $0.source == source }?.client == client, "step \(number)")
                for other in Set(model.waiting.map(\.source)) where other != source && model.mayBegin(other) {
                    passedOver[other, default: 0] += 1
                    try #require(passedOver[other, default: 0] < 5, "source \(other) is passed over, step \(number)")
                }
                passedOver[source] = 0
                model.begin(client, source)
            }
            // A source with half of the handshakes is being served, and one without clients waits for nothing.
            passedOver = passedOver.filter { source, _ in
                model.active[source, default: 0] < max(1, model.limit / 2)
                    && model.waiting.contains { $0.source == source }
            }
            // Nobody waits who may begin.
            try #require(!model.waiting.contains { model.mayBegin($0.source) }, "step \(number)")
            try #require(queue.activeCount == model.activeCount)
            try #require(queue.waitingCount == model.waiting.count)
        }
    }
}
