public import FailoverCore
import Synchronization

/// When a new session may request a ping. Event loops read this one number without a lock.
public final class PingGate: Sendable {
    /// The earliest time, in nanoseconds of the monitor's clock; `UInt64.max` while a ping is in flight.
    private let opensAt = Atomic<UInt64>(.max)

    init() {}

    func set(_ time: MonotonicTime?) {
        opensAt.store(time?.sinceOrigin.nanoseconds ?? .max, ordering: .relaxed)
    }

    /// Whether the frequencies allow a ping at that time.
    public func isOpen(at time: MonotonicTime) -> Bool {
        opensAt.load(ordering: .relaxed) <= time.sinceOrigin.nanoseconds
    }
}
