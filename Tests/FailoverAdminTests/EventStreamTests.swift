import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverAdmin

@Suite("The stream of events", .timeLimit(.minutes(5)))
struct EventStreamTests {
    private func event(_ number: Int) -> AdminEvent {
        AdminEvent(.drain, "a\(number)", "drained", at: WallTime(sinceEpoch: .zero))
    }

    @Test func aFollowerGetsTheStatusThenEventsAndTheStatusAgain() async {
        let backend = FakeBackend()
        let stream = EventStream(backend)
        let telling = Task { await stream.run() }
        var pieces = await stream.follow().makeAsyncIterator()
        #expect(await pieces.next()?.hasPrefix("event: status\ndata: {") == true)
        backend.events.add(event(1))
        var piece = await pieces.next()
        // One that the clock asked for.
        while piece?.hasPrefix("event: status\n") == true { piece = await pieces.next() }
        #expect(piece?.hasPrefix("id: 1\nevent: event\ndata: {") == true)
        #expect(await pieces.next()?.hasPrefix("event: status\ndata: {") == true)
        telling.cancel()
        await telling.value
    }

    @Test func aStatusIsMadeOnceForAll() async {
        let backend = FakeBackend()
        let stream = EventStream(backend)
        let telling = Task { await stream.run() }
        var followers: [AsyncStream<String>] = []
        for _ in 0..<50 { followers.append(await stream.follow()) }
        for number in 1...100 {
            backend.events.add(event(number))
            await Task.yield()
        }
        // Two for each follower, so that one of them was told.
        for follower in followers {
            var statuses = 0
            for await piece in follower where piece.hasPrefix("event: status\n") {
                statuses += 1
                if statuses == 2 { break }
            }
        }
        #expect(backend.statusCount < 1000)
        telling.cancel()
        await telling.value
    }

    @Test func whoLeavesIsForgotten() async {
        let followers = Followers<Int>(patience: 1)
        var stream: AsyncStream<Int>? = followers.follow()
        #expect(!followers.isEmpty)
        stream = nil
        _ = stream
        #expect(await eventually { followers.isEmpty })
    }
}
