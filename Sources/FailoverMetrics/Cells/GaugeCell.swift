import CoreMetrics

/// A value that goes up and down.
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
