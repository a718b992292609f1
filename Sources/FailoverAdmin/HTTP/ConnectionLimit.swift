import Synchronization

/// How many connections there may be at a time.
final class ConnectionLimit: Sendable {
    private let open = Atomic<Int>(0)
    private let most: Int

    init(_ most: Int) { self.most = most }

    /// Takes a place, if there is one.
    func take() -> Bool {
        guard open.add(1, ordering: .relaxed).newValue <= most else {
            leave()
            return false
        }
        return true
    }

    func leave() { open.subtract(1, ordering: .relaxed) }
}
