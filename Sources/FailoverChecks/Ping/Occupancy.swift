import FailoverCore

/// Whether the thread of an earlier ping has not come back yet.
final class Occupancy: Sendable {
    private let isTaken = Lock(false)

    /// Whether it was free and is taken now.
    func take() -> Bool {
        isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
    }

    func leave() { isTaken.withLock { $0 = false } }
}
