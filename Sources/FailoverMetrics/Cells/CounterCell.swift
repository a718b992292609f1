import CoreMetrics
import Synchronization

/// A total: whole increments and fractions apart, so that the usual ones stay exact and cost one atomic addition.
final class CounterCell: Cell, CounterHandler, FloatingPointCounterHandler {
    static let kind = MetricKind.counter
    let key: SeriesKey
    private let whole = Atomic<UInt64>(0)
    private let fraction = AtomicDouble()

    init(_ key: SeriesKey) { self.key = key }

    var sample: Sample { .value(Double(whole.load(ordering: .relaxed)) + fraction.value) }

    /// Adds to the total, which never shrinks: a negative amount is ignored.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        whole.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    /// Adds to the total; what is negative or no finite number is ignored.
    func increment(by amount: Double) {
        guard amount > 0 && amount.isFinite else { return }
        fraction.add(amount)
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.value = 0
    }
}
