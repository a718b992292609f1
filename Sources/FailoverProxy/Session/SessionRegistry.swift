import FailoverCore
import Synchronization

/// How many sessions there are, over all loops, and whether there may be another.
final class SessionRegistry: Sendable {
    private let open = Atomic<Int>(0)
    private let numbers = Atomic<UInt64>(0)
    private let capacity: Int
    /// Which servers cancel requests are for.
    let cancelKeys = CancelKeys()
    /// Cancel requests that may be under way.
    let cancelRequests = Places(limit: 64)
    /// What all sessions together may keep.
    let buffers = BufferBudget()
    private let whenEmpty: AsyncStream<Void>.Continuation
    /// Yields whenever the last session has ended.
    let emptied: AsyncStream<Void>

    /// - Parameter capacity: sessions that the process's descriptors are enough for.
    init(capacity: Int) {
        self.capacity = capacity
        (emptied, whenEmpty) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Sessions of this moment.
    var count: Int { open.load(ordering: .relaxed) }

    /// Whether the descriptors are enough for one more.
    var hasRoom: Bool { count < capacity }

    /// Counts a session, be it one that is only told why it is not served.
    func noteOpened() { open.add(1, ordering: .relaxed) }

    /// The number of a new session.
    func nextNumber() -> UInt64 { numbers.add(1, ordering: .relaxed).newValue }

    /// A session has ended.
    func noteClosed() {
        if open.subtract(1, ordering: .relaxed).newValue == 0 { whenEmpty.yield() }
    }
}
