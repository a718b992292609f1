import Synchronization

/// Places that sessions or connections take and leave, from any thread.
package final class Places: Sendable {
    private let taken = Atomic<Int>(0)
    private let limit: Int

    package init(limit: Int) { self.limit = limit }

    /// Takes one, if there is one.
    package func take() -> Bool {
        guard taken.add(1, ordering: .relaxed).newValue <= limit else {
            leave()
            return false
        }
        return true
    }

    package func leave() { taken.subtract(1, ordering: .relaxed) }
}
