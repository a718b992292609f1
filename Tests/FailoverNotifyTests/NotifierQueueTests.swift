import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverNotify

@Suite("A notifier's queue", .timeLimit(.minutes(5)))
struct NotifierQueueTests {
    /// A notifier that passes events to a test, and waits for the test if requested.
    private final class Listener: Notifier {
        struct Deaf: Error {}
        let name = "listener"
        private let heard = Lock<[FailoverEvent]>([])
        private let isDeaf: Bool
        private let gate: AsyncStream<Void>?

        init(isDeaf: Bool = false, gate: AsyncStream<Void>? = nil) {
            self.isDeaf = isDeaf
            self.gate = gate
        }

        var events: [FailoverEvent] { heard.withLock { $0 } }

        func deliver(_ event: FailoverEvent, limit: Duration) async throws {
            if let gate { for await _ in gate { break } }
            heard.withLock { $0.append(event) }
            if isDeaf { throw Deaf() }
        }
    }

    private let log = CapturedLog()

    private func queue(_ listener: Listener, filter: EventFilter = EventFilter()) -> NotifierQueue {
        NotifierQueue(notifier: listener, filter: filter, limit: .seconds(10), log: log.logger)
    }

    @Test func onlyWhatTheFilterAdmitsIsTold() async {
        let listener = Listener()
        let queue = queue(listener, filter: EventFilter(services: ["slave"], events: [.outage, .recovery]))
        for event in [Events.outage(), Events.reminder(), Events.outage("cache"), Events.recovery()] {
            queue.offer(event)
        }
        queue.finish()
        await queue.run()
        #expect(listener.events == [Events.outage(), Events.recovery()])
    }

    @Test func aFailureIsLoggedAndTheNextEventIsTold() async {
        let listener = Listener(isDeaf: true)
        let queue = queue(listener)
        queue.offer(Events.outage())
        queue.offer(Events.recovery())
        queue.finish()
        await queue.run()
        #expect(listener.events.count == 2)
        #expect(
            log.lines == [
                "error listener: could not deliver the outage notification for slave",
                "error listener: could not deliver the recovery notification for slave",
            ])
    }

    @Test func tenThousandEventsThroughASlowNotifierKeepTheirOrderInBoundedMemory() async {
        let (gate, opened) = AsyncStream.makeStream(of: Void.self)
        let listener = Listener(gate: gate)
        let queue = queue(listener)
        let running = Task { await queue.run() }
        let services = (0..<100).map { "s\($0)" }
        var most = 0
        for round in 0..<50 {
            for service in services {
                queue.offer(Events.outage(service, second: 2 * round))
                queue.offer(Events.recovery(service, second: 2 * round + 1))
            }
            opened.yield()
            most = max(most, queue.waiting)
        }
        #expect(most <= EventBacklog.capacity)
        #expect(log.lines.first == "warning listener is too slow: its queued events are coalesced")
        opened.finish()
        queue.finish()
        await running.value
        #expect(queue.waiting == 0)
        for service in services {
            let events = listener.events.filter { $0.service == service }
            let seconds = events.map { Int($0.time.sinceEpoch.components.seconds) }
            #expect(seconds == seconds.sorted())
            #expect(events.last?.kind.name == .recovery)
            #expect(events.enumerated().allSatisfy { ($0 % 2 == 0) == ($1.kind.name == .outage) })
        }
        #expect(log.lines.last == "warning listener has caught up")
        #expect(Int(log.metadata.last?["events_coalesced"] ?? "") == 10_000 - listener.events.count)
    }
}
