import Synchronization

/// When a new session may ask for a ping: one word that event loops read without taking a lock.
public final class PingGate: Sendable {
    /// Nanoseconds of the monitor's clock; `Int64.max` while a ping is in flight.
    private let opensAt = Atomic<Int64>(.max)

    init() {}

    func set(_ time: MonotonicTime?) {
        opensAt.store(time.map(Self.nanoseconds) ?? .max, ordering: .relaxed)
    }

    /// Whether the frequencies allow a ping at that time.
    public func isOpen(at time: MonotonicTime) -> Bool {
        opensAt.load(ordering: .relaxed) <= Self.nanoseconds(time)
    }

    private static func nanoseconds(_ time: MonotonicTime) -> Int64 {
        // Of the 292 years that can be counted.
        let most = Duration.seconds(9_000_000_000)
        let (seconds, attoseconds) = max(.zero - most, min(time.sinceOrigin, most)).components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
