import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverAdmin

@Suite("The stream of events", .timeLimit(.minutes(5)))
struct EventStreamTests {
    private func event(_ number: Int) -> AdminEvent {
        AdminEvent(.drain, "a\(number)", "drained", at: WallTime(sinceEpoch: .zero))
    }

    @Test func aFollowerGetsTheStatusThenEventsAndWhatHasChanged() async {
        let backend = FakeBackend()
        let stream = EventStream(backend)
        let telling = Task { await stream.run() }
        var pieces = await stream.follow().makeAsyncIterator()
        #expect(await pieces.next()?.hasPrefix("event: status\ndata: {") == true)
        backend.events.add(event(1))
        var piece = await pieces.next()
        // A change that the timer requested.
        while piece?.hasPrefix("event: change\n") == true { piece = await pieces.next() }
        #expect(piece?.hasPrefix("id: 1\nevent: event\ndata: {") == true)
        #expect(await pieces.next() == "event: change\ndata: {\"time\":\"1970-01-01T00:00:02.000Z\"}\n\n")
        telling.cancel()
        await telling.value
    }

    @Test func aChangeIsMadeOnceForAll() async {
        let backend = FakeBackend()
        let stream = EventStream(backend)
        let telling = Task { await stream.run() }
        var followers: [AsyncStream<String>] = []
        for _ in 0..<50 { followers.append(await stream.follow()) }
        for number in 1...50 {
            backend.events.add(event(number))
            await Task.yield()
        }
        for follower in followers {
            var isTold = false
            for await piece in follower where piece.hasPrefix("event: change\n") {
                isTold = true
                break
            }
            #expect(isTold)
        }
        #expect(backend.statusCount < 1000)
        telling.cancel()
        await telling.value
    }

    @Test func whoLeavesIsForgotten() async {
        let followers = Followers<Int>(bufferSize: 1, whenFull: .loseTheOldest)
        var stream: AsyncStream<Int>? = followers.follow()
        #expect(!followers.isEmpty)
        stream = nil
        _ = stream
        #expect(await eventually { followers.isEmpty })
    }

    @Test func oneThatIsTooSlowLosesTheOldestOrItsStreamEnds() async {
        let (lossy, whole) = (
            Followers<Int>(bufferSize: 2, whenFull: .loseTheOldest), Followers<Int>(bufferSize: 2, whenFull: .end)
        )
        let streams = (lossy.follow(), whole.follow())
        for number in 1...4 {
            lossy.tell(number)
            whole.tell(number)
        }
        var told = streams.0.makeAsyncIterator()
        #expect(await told.next() == 3)
        #expect(await told.next() == 4)
        #expect(await streams.1.reduce(into: []) { $0.append($1) } == [1, 2])
        #expect(await eventually { whole.isEmpty })
        #expect(!lossy.isEmpty)
    }

    @Test func aFollowerThatComesLaterHasWhatTheOthersHave() async throws {
        let backend = FakeBackend()
        let stream = EventStream(backend)
        var first = await stream.follow().makeAsyncIterator()
        backend.setReady(false)
        var second = await stream.follow().makeAsyncIterator()
        for text in [await first.next(), await second.next()] {
            #expect(try #require(text).hasPrefix("event: status\n"))
        }
        // The first follower got the change when the second one started.
        let change = try #require(await first.next())
        #expect(change.hasPrefix("event: change\n") && change.contains("\"ready\":false"))
    }
}
