import Synchronization

/// When a new session may ask for a ping: one word that event loops read without taking a lock.
public final class PingGate: Sendable {
    /// Nanoseconds of the monitor's clock; `Int64.max` while a ping is in flight.
    private let opensAt = Atomic<Int64>(.max)

    init() {}

    func set(_ time: MonotonicTime?) {
        let components = time?.sinceOrigin.components
        let nanoseconds = components.map { $0.seconds &* 1_000_000_000 &+ $0.attoseconds / 1_000_000_000 }
        opensAt.store(nanoseconds ?? .max, ordering: .relaxed)
    }

    /// Whether the frequencies allow a ping at that time.
    public func isOpen(at time: MonotonicTime) -> Bool {
        let components = time.sinceOrigin.components
        return opensAt.load(ordering: .relaxed)
            <= components.seconds &* 1_000_000_000 &+ components.attoseconds / 1_000_000_000
    }
}
