/// One loop's TLS handshakes with the clients of a route, and the clients that wait for one.
///
/// A handshake needs much memory and processor time. So only a limited number is in progress, no source has more than
/// half of them, and the sources that wait take turns.
struct HandshakeQueue {
    /// A client that waits.
    struct Client: Hashable {
        let session: UInt64
        let slot: Int
    }

    /// The clients of a source that wait, in order. Some may have left.
    private struct Line {
        var clients: [Client] = []
        var first = 0

        private static let mostServed = 256

        mutating func next() -> Client? {
            guard first < clients.count else { return nil }
            if first >= Self.mostServed {
                clients.removeFirst(first)
                first = 0
            }
            defer { first += 1 }
            return clients[first]
        }
    }

    /// How many handshakes may be in progress.
    private(set) var limit: Int
    private var active: [UInt64: Int] = [:]
    private(set) var activeCount = 0
    private var lines: [UInt64: Line] = [:]
    /// The sources that have a line, in the order of their turns.
    private var turns: [UInt64] = []
    /// The sessions that still wait.
    private var waiting: Set<UInt64> = []
    /// When handshakes of the route that take too long are looked for again.
    var nextLookForStalled: UInt64 = 0

    init(limit: Int) { self.limit = max(1, limit) }

    var waitingCount: Int { waiting.count }

    /// - Returns: the clients that may begin now, because the limit is higher than before.
    mutating func change(limit: Int) -> [Client] {
        self.limit = max(1, limit)
        return admit()
    }

    /// A client wants to begin.
    ///
    /// - Returns: whether it may. Otherwise it waits, and a call of ``leave(_:)`` returns it.
    mutating func enter(_ client: Client, source: UInt64) -> Bool {
        if mayBegin(source), lines[source] == nil {
            begin(source)
            return true
        }
        waiting.insert(client.session)
        if lines[source] == nil { turns.append(source) }
        lines[source, default: Line()].clients.append(client)
        return false
    }

    /// A handshake of the source has ended.
    ///
    /// - Returns: the clients that may begin now.
    mutating func leave(source: UInt64) -> [Client] {
        guard let count = active[source] else { return [] }
        active[source] = count > 1 ? count - 1 : nil
        activeCount -= 1
        return admit()
    }

    /// A client that waits has left.
    mutating func forget(session: UInt64) {
        guard waiting.remove(session) != nil, waiting.isEmpty else { return }
        lines = [:]
        turns = []
    }

    private func mayBegin(_ source: UInt64) -> Bool {
        activeCount < limit && active[source, default: 0] < max(1, limit / 2)
    }

    private mutating func begin(_ source: UInt64) {
        active[source, default: 0] += 1
        activeCount += 1
    }

    private mutating func admit() -> [Client] {
        var admitted: [Client] = []
        var passed = 0
        while activeCount < limit, passed < turns.count {
            let source = turns.removeFirst()
            guard mayBegin(source) else {
                turns.append(source)
                passed += 1
                continue
            }
            guard let client = nextClient(of: source) else {
                lines[source] = nil
                continue
            }
            begin(source)
            admitted.append(client)
            turns.append(source)
            passed = 0
        }
        return admitted
    }

    private mutating func nextClient(of source: UInt64) -> Client? {
        while let client = lines[source]?.next() {
            if waiting.remove(client.session) != nil { return client }
        }
        return nil
    }
}
