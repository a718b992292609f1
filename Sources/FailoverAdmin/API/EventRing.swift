import FailoverCore

/// The latest events, and who follows them.
package final class EventRing: Sendable {
    private struct State {
        var events: [AdminEvent] = []
        var next = 1
        var followers: [Int: AsyncStream<AdminEvent>.Continuation] = [:]
        var nextFollower = 0
    }

    /// How many are kept.
    package static let capacity = 1000
    /// How many may wait for a follower that is slow; older ones are lost to it.
    private static let patience = 100

    private let state = Lock(State())
    /// Held while an event is told, so that all are told in their order. Never by a follower that leaves.
    private let telling = Lock(())

    package init() {}

    /// Numbers the event, keeps it and tells it to all followers; never waits.
    package func add(_ event: AdminEvent) {
        telling.withLock { _ in
            let (event, followers) = keep(event)
            // Not under the lock that a follower takes when it leaves: it does so under a lock of its task's, which this
            // needs to wake it.
            for follower in followers { follower.yield(event) }
        }
    }

    private func keep(_ event: AdminEvent) -> (AdminEvent, [AsyncStream<AdminEvent>.Continuation]) {
        state.withLock { state in
            var event = event
            event.id = state.next
            state.next += 1
            if state.events.count == Self.capacity { state.events.removeFirst() }
            state.events.append(event)
            return (event, Array(state.followers.values))
        }
    }

    /// The latest ones, newest first.
    package func latest(_ count: Int) -> [AdminEvent] {
        state.withLock { $0.events.suffix(max(0, count)).reversed() }
    }

    /// Each event from now on, until the stream is dropped.
    package func follow() -> AsyncStream<AdminEvent> {
        let (events, event) = AsyncStream.makeStream(
            of: AdminEvent.self, bufferingPolicy: .bufferingNewest(Self.patience))
        let number = state.withLock { state in
            state.followers[state.nextFollower] = event
            state.nextFollower += 1
            return state.nextFollower - 1
        }
        event.onTermination = { [weak self] _ in self?.state.withLock { $0.followers[number] = nil } }
        return events
    }
}
