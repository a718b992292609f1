import FailoverCore

/// The latest events, and who follows them.
package final class EventRing: Sendable {
    private struct State {
        var events: [AdminEvent] = []
        var next = 1
    }

    /// How many are kept.
    package static let capacity = 1000

    private let state = Lock(State())
    private let followers = Followers<AdminEvent>(patience: 100)
    /// Held while an event is told, so that all are told in their order. Never by a follower that leaves.
    private let telling = Lock(())

    package init() {}

    /// Numbers the event, keeps it and tells it to all followers; never waits.
    package func add(_ event: AdminEvent) {
        telling.withLock { _ in followers.tell(keep(event)) }
    }

    private func keep(_ event: AdminEvent) -> AdminEvent {
        state.withLock { state in
            var event = event
            event.id = state.next
            state.next += 1
            if state.events.count == Self.capacity { state.events.removeFirst() }
            state.events.append(event)
            return event
        }
    }

    /// The latest ones, newest first.
    package func latest(_ count: Int) -> [AdminEvent] {
        state.withLock { $0.events.suffix(max(0, count)).reversed() }
    }

    /// Each event from now on, until the stream is dropped.
    package func follow() -> AsyncStream<AdminEvent> { followers.follow() }
}
