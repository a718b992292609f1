import CoreMetrics
import FailoverCore
import FailoverSystem
import Synchronization

/// The storage of one series. All handles of the series share it. Any thread may change it at any time.
protocol Cell: AnyObject, Sendable {
    static var kind: MetricKind { get }
    var key: SeriesKey { get }
    /// The current value.
    var sample: Sample { get }
}

/// The value of a series at one moment.
enum Sample: Hashable, Sendable {
    case value(Double)
    case histogram(Histogram)
}

/// A total. Whole numbers and fractions are stored separately, so that whole increments are exact and cost one atomic
/// addition.
final class CounterCell: Cell, CounterHandler, FloatingPointCounterHandler {
    static let kind = MetricKind.counter
    let key: SeriesKey
    private let whole = Atomic<UInt64>(0)
    private let fraction = AtomicDouble()

    init(_ key: SeriesKey) { self.key = key }

    var sample: Sample { .value(Double(whole.load(ordering: .relaxed)) + fraction.value) }

    /// Adds to the total. A negative amount is ignored, because a total never decreases.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        whole.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    /// Adds to the total. A negative or non-finite amount is ignored.
    func increment(by amount: Double) {
        guard amount > 0 && amount.isFinite else { return }
        fraction.add(amount)
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.value = 0
    }
}

/// A value that can increase and decrease.
final class GaugeCell: Cell, MeterHandler, RecorderHandler {
    static let kind = MetricKind.gauge
    let key: SeriesKey
    private let value = AtomicDouble()

    init(_ key: SeriesKey) { self.key = key }

    var sample: Sample { .value(value.value) }

    func set(_ new: Int64) { value.value = Double(new) }
    func set(_ new: Double) { value.value = new }
    func increment(by amount: Double) { value.add(amount) }
    func decrement(by amount: Double) { value.add(-amount) }
    func record(_ new: Int64) { set(new) }
    func record(_ new: Double) { set(new) }
}

/// A distribution. Each addition holds a lock, so that buckets, sum and count are consistent.
final class HistogramCell: Cell, TimerHandler, RecorderHandler {
    static let kind = MetricKind.histogram
    let key: SeriesKey
    private let histogram: Lock<Histogram>

    init(_ key: SeriesKey, _ buckets: HistogramBuckets) {
        self.key = key
        histogram = Lock(Histogram(buckets))
    }

    var sample: Sample { .histogram(histogram.withLock { $0 }) }

    func record(_ value: Double) { histogram.withLock { $0.observe(value) } }
    func record(_ value: Int64) { record(Double(value)) }

    /// The duration is stored in seconds, Prometheus' unit of time.
    func recordNanoseconds(_ duration: Int64) { record(Double(max(0, duration)) / 1e9) }
}

/// A number that any thread may set or add to without a lock.
struct AtomicDouble: ~Copyable, Sendable {
    private let bits = Atomic<UInt64>(0)

    var value: Double {
        get { Double(bitPattern: bits.load(ordering: .relaxed)) }
        nonmutating set { bits.store(newValue.bitPattern, ordering: .relaxed) }
    }

    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }
}
