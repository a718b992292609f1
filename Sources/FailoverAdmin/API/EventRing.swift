import FailoverSystem

/// The latest events and their followers.
package final class EventRing: Sendable {
    private struct State {
        var events: [AdminEvent] = []
        var next = 1
    }

    /// The number of events that are kept.
    package static let capacity = 1000

    /// Held while an event is sent to the followers, so that all events are sent in order. A follower that leaves never
    /// takes this lock.
    private let state = Lock(State())
    private let followers = Followers<AdminEvent>(bufferSize: 100, whenFull: .loseTheOldest)

    package init() {}

    /// Numbers the event, stores it and sends it to all followers; never blocks.
    package func add(_ event: AdminEvent) {
        state.withLock { state in
            var event = event
            event.id = state.next
            state.next += 1
            if state.events.count == Self.capacity { state.events.removeFirst() }
            state.events.append(event)
            followers.tell(event)
        }
    }

    /// The latest events, newest first.
    package func latest(_ count: Int) -> [AdminEvent] {
        state.withLock { $0.events.suffix(max(0, count)).reversed() }
    }

    /// A stream of the events from now on. It ends when you release it.
    package func follow() -> AsyncStream<AdminEvent> { followers.follow() }
}

/// Followers of a sequence of elements. Each follower reads at its own pace.
final class Followers<Element: Sendable>: Sendable {
    private struct State {
        var followers: [Int: AsyncStream<Element>.Continuation] = [:]
        var next = 0
    }

    /// What happens to a follower whose buffer is full.
    enum Overflow {
        /// The follower continues without the oldest elements.
        case loseTheOldest
        /// Its stream ends after the buffered elements.
        case end
    }

    private let bufferSize: Int
    private let overflow: Overflow
    private let state = Lock(State())

    /// - Parameters:
    ///   - bufferSize: how many elements may wait for a slow follower.
    ///   - overflow: what happens to a follower whose buffer is full.
    init(bufferSize: Int, whenFull overflow: Overflow) {
        self.bufferSize = bufferSize
        self.overflow = overflow
    }

    /// Whether there are no followers.
    var isEmpty: Bool { state.withLock { $0.followers.isEmpty } }

    var count: Int { state.withLock { $0.followers.count } }

    /// A stream of the elements from now on. It ends when you release it.
    ///
    /// - Parameter first: the first element of the stream.
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

    /// Sends the element to all followers; never blocks.
    func tell(_ element: Element) {
        // `yield` is called without the lock of the state. A follower that leaves takes that lock while it holds the
        // lock of its task, and `yield` needs the lock of the task.
        for follower in state.withLock({ Array($0.followers.values) }) {
            if case .dropped = follower.yield(element), overflow == .end { follower.finish() }
        }
    }
}
