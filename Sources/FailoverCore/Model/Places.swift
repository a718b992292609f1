import Synchronization

/// Places that sessions or connections take and leave, from any thread.
package final class Places: Sendable {
    private let taken = Atomic<Int>(0)
    private let limit: Atomic<Int>

    /// - Parameter limit: `nil` is none.
    package init(limit: Int?) { self.limit = Atomic(limit ?? .max) }

    /// There are so many from now on; who has one keeps it.
    package func change(limit: Int?) { self.limit.store(limit ?? .max, ordering: .relaxed) }

    /// Takes one, if there is one.
    package func take() -> Bool {
        guard taken.add(1, ordering: .relaxed).newValue <= limit.load(ordering: .relaxed) else {
            leave()
            return false
        }
        return true
    }

    package var isEmpty: Bool { taken.load(ordering: .relaxed) == 0 }

    package func leave() { taken.subtract(1, ordering: .relaxed) }
}
