import FailoverCore
import FailoverSystem

/// `GET /api/v1/events/stream`: server-sent events (WHATWG HTML §9.2). The whole status first; then each event, and what has
/// changed of the status, every two seconds and soon after each event. Each is made once for all who follow, and not at all
/// for nobody.
final class EventStream: Sendable {
    private static let interval = Duration.seconds(2)
    /// Between two changes, however many events there are.
    private static let pause = Duration.milliseconds(100)

    /// Each holds a connection, of which some are left for others.
    static let mostFollowers = 48

    private let backend: any AdminBackend
    // From the first moment, so that nothing is missed until it runs.
    private let events: AsyncStream<AdminEvent>
    // One that is too slow for that would miss a change: its stream ends, and it may come again for a whole status.
    private let followers = Followers<String>(bufferSize: 100, whenFull: .end)
    private let status: StatusTeller

    init(_ backend: any AdminBackend) {
        self.backend = backend
        events = backend.events.follow()
        status = StatusTeller(followers)
    }

    /// Whether as many follow as may.
    var isFull: Bool { followers.count >= Self.mostFollowers }

    /// The status as it is, then what there is to tell, until the stream is dropped.
    func follow() async -> AsyncStream<String> {
        let number = await status.begin()
        return await status.follow(number, await backend.status())
    }

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

/// Tells the status to followers of whom each has the one told last.
private actor StatusTeller {
    private let followers: Followers<String>
    private var last: StatusDocument?
    /// Counts the statuses that were asked for, and the one told last of them.
    private var (begun, told) = (0, 0)

    init(_ followers: Followers<String>) { self.followers = followers }

    /// - Returns: the number of a status that is asked for from now on.
    func begin() -> Int {
        begun += 1
        return begun
    }

    /// Tells what has changed; nothing of a status that was asked for before the one told last.
    func tell(_ number: Int, _ status: StatusDocument) {
        guard number > told else { return }
        if let last, !followers.isEmpty {
            followers.tell(
                StatusChange(from: last, to: status).map { piece("change", $0) } ?? piece("status", status))
        }
        (last, told) = (status, number)
    }

    /// Tells the others what has changed until then, and begins another with the whole.
    func follow(_ number: Int, _ status: StatusDocument) -> AsyncStream<String> {
        tell(number, status)
        return followers.follow(beginningWith: piece("status", last ?? status))
    }
}

private func piece(_ name: String, _ document: some Encodable) -> String {
    "event: \(name)\ndata: \(AdminJSON.text(document))\n\n"
}
