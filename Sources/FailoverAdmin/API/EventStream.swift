/// `GET /api/v1/events/stream`: server-sent events (WHATWG HTML §9.2) of the whole status, every two seconds and with each
/// event.
struct EventStream: Sendable {
    private static let interval = Duration.seconds(2)

    let pieces: AsyncStream<String>

    init(_ backend: any AdminBackend) {
        let events = backend.events.follow()
        // A reader that is slow misses old pieces; each status is whole.
        let (pieces, piece) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(16))
        self.pieces = pieces
        let telling = Task {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    while !Task.isCancelled {
                        piece.yield(Self.piece("status", await backend.status()))
                        try? await Task.sleep(for: Self.interval)
                    }
                }
                group.addTask {
                    for await event in events {
                        piece.yield("id: \(event.id)\n" + Self.piece("event", event))
                        piece.yield(Self.piece("status", await backend.status()))
                    }
                }
            }
        }
        piece.onTermination = { _ in telling.cancel() }
    }

    private static func piece(_ name: String, _ document: some Encodable) -> String {
        "event: \(name)\ndata: \(AdminJSON.text(document))\n\n"
    }
}
