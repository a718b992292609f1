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
