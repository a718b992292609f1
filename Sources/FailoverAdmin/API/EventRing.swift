import FailoverSystem

/// The latest events, and who follows them.
package final class EventRing: Sendable {
    private struct State {
        var events: [AdminEvent] = []
        var next = 1
    }

    /// How many are kept.
    package static let capacity = 1000

    private let state = Lock(State())
    private let followers = Followers<AdminEvent>(bufferSize: 100, whenFull: .loseTheOldest)
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

/// Who follows something, each at its own pace.
final class Followers<Element: Sendable>: Sendable {
    private struct State {
        var followers: [Int: AsyncStream<Element>.Continuation] = [:]
        var next = 0
    }

    /// What becomes of one for whom as many elements wait as may.
    enum Overflow {
        /// It goes on without the oldest.
        case loseTheOldest
        /// Its stream ends after those that wait.
        case end
    }

    private let bufferSize: Int
    private let overflow: Overflow
    private let state = Lock(State())

    /// - Parameters:
    ///   - bufferSize: how many elements may wait for one that is slow.
    ///   - overflow: what becomes of it then.
    init(bufferSize: Int, whenFull overflow: Overflow) {
        self.bufferSize = bufferSize
        self.overflow = overflow
    }

    /// Whether nobody follows.
    var isEmpty: Bool { state.withLock { $0.followers.isEmpty } }

    var count: Int { state.withLock { $0.followers.count } }

    /// Each element from now on, until the stream is dropped.
    ///
    /// - Parameter first: what it begins with.
    func follow(beginningWith first: Element? = nil) -> AsyncStream<Element> {
        let (elements, element) = AsyncStream.makeStream(
            of: Element.self,
            bufferingPolicy: overflow == .end ? .bufferingOldest(bufferSize) : .bufferingNewest(bufferSize))
        if let first { element.yield(first) }
        let number = state.withLock { state in
            state.followers[state.next] = element
            state.next += 1
            return state.next - 1
        }
        element.onTermination = { [weak self] _ in self?.state.withLock { $0.followers[number] = nil } }
        return elements
    }

    /// Tells all; never waits.
    func tell(_ element: Element) {
        // Not under the lock that a follower takes when it leaves: it does so under a lock of its task's, which this needs
        // to wake it.
        for follower in state.withLock({ Array($0.followers.values) }) {
            if case .dropped = follower.yield(element), overflow == .end { follower.finish() }
        }
    }
}
