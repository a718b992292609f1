import CoreMetrics
import FailoverCore

/// A distribution. Behind a lock, held for one addition, so that its buckets, its sum and its count belong together.
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

    /// Kept in seconds, Prometheus' unit of time.
    func recordNanoseconds(_ duration: Int64) { record(Double(max(0, duration)) / 1e9) }
}
