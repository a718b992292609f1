import Synchronization

/// How many bytes sessions keep, over all loops, because a peer has no room for them. `max_buffer_memory`.
final class BufferBudget: Sendable {
    private let held = Atomic<Int>(0)
    private let limit = Atomic<Int>(.max)

    /// - Parameter limit: bytes; `nil` is none.
    func change(limit: Int?) { self.limit.store(limit ?? .max, ordering: .relaxed) }

    /// - Parameter count: bytes that are kept from now on; negative when they are kept no more.
    func add(_ count: Int) { held.add(count, ordering: .relaxed) }

    var bytes: Int { held.load(ordering: .relaxed) }

    /// Whether what is read now must not be kept.
    var isExhausted: Bool { held.load(ordering: .relaxed) >= limit.load(ordering: .relaxed) }
}
