import FailoverCore
import FailoverSystem

/// `GET /api/v1/events/stream`: server-sent events (WHATWG HTML §9.2). The first one is the whole status. After it, the
/// stream contains every event, and the changes of the status every two seconds and soon after each event. Each is
/// created once for all followers, and only if there are followers.
final class EventStream: Sendable {
    private static let interval = Duration.seconds(2)
    /// The minimum time between two changes, even if there are many events.
    private static let pause = Duration.milliseconds(100)

    /// The maximum number of followers. Each holds a connection, and some connections must be left for other
    /// requests.
    static let mostFollowers = 48

    private let backend: any AdminBackend
    // Subscribed at creation, so that no event is missed before ``run()``.
    private let events: AsyncStream<AdminEvent>
    // A follower that is too slow would miss a change. Its stream ends, and it may reconnect for a whole status.
    private let followers = Followers<String>(bufferSize: 100, whenFull: .end)
    private let status: StatusTeller

    init(_ backend: any AdminBackend) {
        self.backend = backend
        events = backend.events.follow()
        status = StatusTeller(followers)
    }

    /// Whether the maximum number of followers is reached.
    var isFull: Bool { followers.count >= Self.mostFollowers }

    /// The current status, then all events and changes, until the stream is released.
    func follow() async -> AsyncStream<String> {
        let number = await status.begin()
        return await status.follow(number, await backend.status())
    }

    /// Sends events and changes to the followers until the task is cancelled. Call this once.
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
                    self.followers.tell("id: \(event.id)\n" + piece("event", event))
                    cause.yield()
                }
            }
            group.addTask {
                for await _ in causes where !self.followers.isEmpty {
                    let number = await self.status.begin()
                    await self.status.tell(number, await self.backend.status())
                    try? await Task.sleep(for: Self.pause)
                }
            }
        }
    }
}

/// Sends changes of the status to the followers. All followers already have the status that was sent last.
private actor StatusTeller {
    private let followers: Followers<String>
    private var last: StatusDocument?
    /// The number of statuses that were requested, and the number of the one that was sent last.
    private var (begun, told) = (0, 0)

    init(_ followers: Followers<String>) { self.followers = followers }

    /// - Returns: the number of the status that is requested next.
    func begin() -> Int {
        begun += 1
        return begun
    }

    /// Sends what has changed. Ignores a status that was requested before the one that was sent last.
    func tell(_ number: Int, _ status: StatusDocument) {
        guard number > told else { return }
        if let last, !followers.isEmpty {
            followers.tell(
                StatusChange(from: last, to: status).map { piece("change", $0) } ?? piece("status", status))
        }
        (last, told) = (status, number)
    }

    /// Sends the changes so far to the other followers, and adds a follower that starts with the whole status.
    func follow(_ number: Int, _ status: StatusDocument) -> AsyncStream<String> {
        tell(number, status)
        return followers.follow(beginningWith: piece("status", last ?? status))
    }
}

private func piece(_ name: String, _ document: some JSONValue) -> String {
    "event: \(name)\ndata: \(JSONWriter.text(document))\n\n"
}
