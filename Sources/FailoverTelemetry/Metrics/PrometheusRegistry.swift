package import CoreMetrics
import FailoverCore
import FailoverSystem

/// Keeps metrics in memory and writes them in Prometheus' format.
///
/// An update of a counter, floating point counter, meter or gauge costs one atomic operation. Timers are histograms of
/// seconds. Recorders that aggregate are histograms too. The name of a metric is its label, without a prefix or suffix.
/// A metric that cannot be kept (see ``Refusal``) gets a handle without effect, and is reported once to `warn`.
package final class PrometheusRegistry: Sendable {
    /// Adds metrics that are not kept in the registry to a scrape.
    package typealias Collector = @Sendable (inout MetricsWriter) -> Void

    /// The content type of an HTTP response with ``text()``.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private struct State {
        var table: FamilyTable<any Cell>
        var help: [String: String] = [:]
        var buckets: [String: HistogramBuckets] = [:]
        var collectors: [Collector] = []
        /// The refusals that were reported to `warn`.
        var told: Set<Refusal> = []
    }

    private let state: Lock<State>
    private let limits: SeriesLimits
    private let warn: @Sendable (String) -> Void

    /// - Parameter warn: receives a line that reports which metric is not kept, and why; once per reason, on any
    ///   thread.
    package init(limits: SeriesLimits = SeriesLimits(), warn: @escaping @Sendable (String) -> Void = { _ in }) {
        state = Lock(State(table: FamilyTable(limits: limits)))
        self.limits = limits
        self.warn = warn
    }

    /// Sets the description of a metric for `# HELP`: one sentence.
    ///
    /// - Parameter buckets: the buckets of a timer or recorder with this name, for series that are created later.
    ///   Default: ``HistogramBuckets/pings`` for timers, ``HistogramBuckets/amounts`` for recorders.
    package func describe(_ name: String, _ help: String, buckets: HistogramBuckets? = nil) {
        let name = MetricName.metric(name)
        state.withLock { state in
            state.help[name] = help
            if let buckets { state.buckets[name] = buckets }
        }
    }

    /// Adds a collector that runs at every scrape, after the earlier ones. It may run on several threads at once.
    package func addCollector(_ collector: @escaping Collector) {
        state.withLock { $0.collectors.append(collector) }
    }

    /// All metrics in the text exposition format 0.0.4. Families are sorted by name, series by the values of their
    /// labels.
    package func text() -> String {
        let (table, help, collectors) = state.withLock { ($0.table, $0.help, $0.collectors) }
        var writer = MetricsWriter(table.mapSeries(\.sample), help: help)
        for collector in collectors { collector(&writer) }
        writer.refusals.forEach(tell)
        return ExpositionText.of(writer.table, help: writer.help)
    }

    /// The cell of a series, which is created if necessary; `nil` if the series is not kept.
    func cell<C: Cell>(
        _ label: String, _ dimensions: [(String, String)], _ make: (SeriesKey, HistogramBuckets?) -> C
    ) -> C? {
        let key = SeriesKey(label, dimensions)
        do throws(Refusal) {
            return try state.withLock { state throws(Refusal) in
                let buckets = state.buckets[key.family]
                return try state.table.find(key, C.kind) { make(key, buckets) } as? C
            }
        } catch {
            tell(error)
            return nil
        }
    }

    /// Removes the series of a handle, unless it has been removed and recreated since.
    func forget(_ handler: AnyObject) {
        guard let cell = handler as? any Cell else { return }
        state.withLock { state in
            if state.table[cell.key] === cell { state.table.remove(cell.key) }
        }
    }

    private func tell(_ refusal: Refusal) {
        // The number of reports is limited too, so that an unlimited number of names cannot exhaust the memory.
        let isNew = state.withLock { $0.told.count < limits.families && $0.told.insert(refusal).inserted }
        if isNew { warn(refusal.description) }
    }
}

/// Creates and destroys handles. Handles of the same series share their storage.
///
/// Destroying a handle means that the series is never updated again (the contract of swift-metrics), so the series is
/// removed at once. Other handles of the series continue to work without effect. A handle that is created later
/// starts at zero, which Prometheus treats as a restart.
extension PrometheusRegistry: MetricsFactory {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, dimensions) { key, _ in CounterCell(key) } ?? NOOPMetricsHandler.instance
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        cell(label, dimensions) { key, _ in CounterCell(key) } ?? NOOPMetricsHandler.instance
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(label, dimensions) { key, _ in GaugeCell(key) } ?? NOOPMetricsHandler.instance
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        let handler: (any RecorderHandler)? =
            if aggregate {
                cell(label, dimensions) { key, buckets in HistogramCell(key, buckets ?? .amounts) }
            } else {
                cell(label, dimensions) { key, _ in GaugeCell(key) }
            }
        return handler ?? NOOPMetricsHandler.instance
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(label, dimensions) { key, buckets in HistogramCell(key, buckets ?? .pings) } ?? NOOPMetricsHandler.instance
    }

    package func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { forget(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { forget(handler) }
}
