import FailoverCore

/// Keeps metrics in memory and writes them as Prometheus scrapes them.
///
/// Counters, floating point counters, meters and gauges cost an atomic operation an update; timers are histograms of
/// seconds, recorders that aggregate are histograms too. Metrics are called as their label says: nothing is added to it.
/// What cannot be kept (see ``Refusal``) gets a handle that leads nowhere, and `warn` is told once.
package final class PrometheusRegistry: Sendable {
    /// Adds what is known elsewhere to a scrape.
    package typealias Collector = @Sendable (inout MetricsWriter) -> Void

    /// What an HTTP response with ``text()`` is.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private struct State {
        var table: FamilyTable<any Cell>
        var help: [String: String] = [:]
        var buckets: [String: HistogramBuckets] = [:]
        var collectors: [Collector] = []
        /// Of what `warn` has been told.
        var told: Set<Refusal> = []
    }

    private let state: Lock<State>
    private let limits: SeriesLimits
    private let warn: @Sendable (String) -> Void

    /// - Parameter warn: told in one line what is not kept and why, once for each reason; from any thread.
    package init(limits: SeriesLimits = SeriesLimits(), warn: @escaping @Sendable (String) -> Void = { _ in }) {
        state = Lock(State(table: FamilyTable(limits: limits)))
        self.limits = limits
        self.warn = warn
    }

    /// Says in one sentence what a metric is, for `# HELP`.
    ///
    /// - Parameter buckets: of a timer or recorder of that name, from its next series on; otherwise
    ///   ``HistogramBuckets/pings`` and ``HistogramBuckets/amounts``.
    package func describe(_ name: String, _ help: String, buckets: HistogramBuckets? = nil) {
        let name = MetricName.metric(name)
        state.withLock { state in
            state.help[name] = help
            if let buckets { state.buckets[name] = buckets }
        }
    }

    /// Adds something that is asked at every scrape, after those before it. It may run on several threads at once.
    package func addCollector(_ collector: @escaping Collector) {
        state.withLock { $0.collectors.append(collector) }
    }

    /// All metrics in the text exposition format 0.0.4, families by name, series by the values of their labels.
    package func text() -> String {
        let (table, help, collectors) = state.withLock { ($0.table, $0.help, $0.collectors) }
        var writer = MetricsWriter(table.mapSeries(\.sample), help: help)
        for collector in collectors { collector(&writer) }
        writer.refusals.forEach(tell)
        return ExpositionText.of(writer.table, help: writer.help)
    }

    /// The cell of a series, new if there is none; `nil` when it is not kept.
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

    /// Forgets the series of a handle, unless it has been forgotten and made anew since.
    func forget(_ handler: AnyObject) {
        guard let cell = handler as? any Cell else { return }
        state.withLock { state in
            if state.table[cell.key] === cell { state.table.remove(cell.key) }
        }
    }

    private func tell(_ refusal: Refusal) {
        // As many as there may be families: names that never end must not take the memory this way either.
        let isNew = state.withLock { $0.told.count < limits.families && $0.told.insert(refusal).inserted }
        if isNew { warn(refusal.description) }
    }
}
