import FailoverCore
import FailoverSystem

/// `GET /api/v1/events/stream`: server-sent events (WHATWG HTML §9.2) of the whole status, every two seconds and soon after
/// each event. Each is made once for all who follow, and not at all for nobody.
final class EventStream: Sendable {
    private static let interval = Duration.seconds(2)
    /// Between two statuses, however many events there are.
    private static let pause = Duration.milliseconds(100)

    /// Each holds a connection, of which some are left for others.
    static let mostFollowers = 48

    private let backend: any AdminBackend
    // From the first moment, so that nothing is missed until it runs.
    private let events: AsyncStream<AdminEvent>
    // A reader that is slow misses old pieces; each status is whole.
    private let followers = Followers<String>(patience: 100)

    init(_ backend: any AdminBackend) {
        self.backend = backend
        events = backend.events.follow()
    }

    /// Whether as many follow as may.
    var isFull: Bool { followers.count >= Self.mostFollowers }

    /// The status as it is, then what there is to tell, until the stream is dropped.
    func follow() async -> AsyncStream<String> { followers.follow(beginningWith: await status()) }

    /// Tells the followers until the task is cancelled. Called once.
    func run() async {
        let (causes, cause) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await withDiscardingTaskGroup { group in
            group.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.interval)
                    cause.yield()
                }
            }
            group.addTask {
                for await event in self.events where !self.followers.isEmpty {
                    self.followers.tell("id: \(event.id)\n" + Self.piece("event", event))
                    cause.yield()
                }
            }
            group.addTask {
                for await _ in causes where !self.followers.isEmpty {
                    self.followers.tell(await self.status())
                    try? await Task.sleep(for: Self.pause)
                }
            }
        }
    }

    private func status() async -> String { Self.piece("status", await backend.status()) }

    private static func piece(_ name: String, _ document: some Encodable) -> String {
        "event: \(name)\ndata: \(AdminJSON.text(document))\n\n"
    }
}

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

/// Who follows something, each at its own pace.
final class Followers<Element: Sendable>: Sendable {
    private struct State {
        var followers: [Int: AsyncStream<Element>.Continuation] = [:]
        var next = 0
    }

    private let patience: Int
    private let state = Lock(State())

    /// - Parameter patience: how many elements may wait for one that is slow; older ones are lost to it.
    init(patience: Int) {
        self.patience = patience
    }

    /// Whether nobody follows.
    var isEmpty: Bool { state.withLock { $0.followers.isEmpty } }

    var count: Int { state.withLock { $0.followers.count } }

    /// Each element from now on, until the stream is dropped.
    ///
    /// - Parameter first: what it begins with.
    func follow(beginningWith first: Element? = nil) -> AsyncStream<Element> {
        let (elements, element) = AsyncStream.makeStream(
            of: Element.self, bufferingPolicy: .bufferingNewest(patience))
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
        for follower in state.withLock({ Array($0.followers.values) }) { follower.yield(element) }
    }
}
