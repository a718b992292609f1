import CoreMetrics
import FailoverSystem
import Testing

@testable import FailoverTelemetry

@Suite("What a registry does not keep", .timeLimit(.minutes(5)))
struct RefusalTests {
    /// The warnings of a registry.
    private final class Said: Sendable {
        private let lines = Lock<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private let said = Said()

    private func registry(_ limits: SeriesLimits = SeriesLimits()) -> PrometheusRegistry {
        PrometheusRegistry(limits: limits) { [said] in said.add($0) }
    }

    @Test func aMetricOfAnotherKindIsIgnoredAndToldOnce() {
        let registry = registry()
        Counter(label: "a", factory: registry).increment()
        let before = registry.text()
        for _ in 0..<3 {
            Gauge(label: "a", factory: registry).record(7)
            Timer(label: "a", factory: registry).recordNanoseconds(7)
        }
        #expect(registry.text() == before)
        #expect(
            said.all == [
                "metric a: requested as a gauge, but it is a counter; ignored",
                "metric a: requested as a histogram, but it is a counter; ignored",
            ])
    }

    @Test func otherLabelNamesAreIgnoredAndToldOnce() {
        let registry = registry()
        Counter(label: "a", dimensions: [("x", "1")], factory: registry).increment()
        let before = registry.text()
        for _ in 0..<3 {
            Counter(label: "a", factory: registry).increment()
            Counter(label: "a", dimensions: [("x", "1"), ("y", "1")], factory: registry).increment()
        }
        #expect(registry.text() == before)
        #expect(said.all.count == 2)
        #expect(said.all.last == #"metric a: requested with the labels ["x", "y"], but it has ["x"]; ignored"#)
    }

    @Test func twoLabelsThatBecomeOneAreIgnored() {
        let registry = registry()
        Counter(label: "a", dimensions: [("x.y", "1"), ("x-y", "2")], factory: registry).increment()
        #expect(registry.text() == "")
        #expect(said.all == ["metric a: label x_y is given twice; ignored"])
    }

    @Test func aHistogramHasItsOwnLabelLe() {
        let registry = registry()
        Timer(label: "a", dimensions: [("le", "1")], factory: registry).recordNanoseconds(1)
        #expect(registry.text() == "")
        Counter(label: "a", dimensions: [("le", "1")], factory: registry).increment()
        #expect(registry.text() == "# TYPE a counter\na{le=\"1\"} 1\n")
        #expect(said.all == ["metric a: label le is reserved for a histogram's bounds; ignored"])
    }

    @Test(arguments: ["_bucket", "_sum", "_count"])
    func namesOfSamplesBelongToOneMetric(suffix: String) {
        let registry = registry()
        Timer(label: "a", factory: registry).recordNanoseconds(1)
        Counter(label: "b\(suffix)", factory: registry).increment()
        let before = registry.text()
        Counter(label: "a\(suffix)", factory: registry).increment()
        Timer(label: "b", factory: registry).recordNanoseconds(1)
        #expect(registry.text() == before)
        #expect(
            said.all == [
                "metric a\(suffix): its sample names collide with those of a; ignored",
                "metric b: its sample names collide with those of b\(suffix); ignored",
            ])
    }

    @Test func seriesAreBoundedAndThoseWithinAreCounted() {
        let registry = registry(SeriesLimits(series: 100))
        for _ in 0..<2 {
            for client in 0..<1000 {
                Counter(label: "a", dimensions: [("client", "\(client)")], factory: registry).increment()
            }
        }
        Counter(label: "b", dimensions: [("client", "0")], factory: registry).increment()
        let lines = registry.text().split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.count == 101)
        #expect(lines.filter { $0.hasSuffix(" 2") }.count == 100)
        #expect(said.all == ["metric a: has 100 series; no more are kept"])
    }

    @Test func metricsAreBoundedAndSoIsWhatIsSaid() {
        let registry = registry(SeriesLimits(families: 10))
        for name in 0..<1000 { Counter(label: "a\(name)", factory: registry).increment() }
        #expect(registry.text().split(separator: "\n").count == 20)
        #expect(said.all.count == 10)
    }

    @Test func aDestroyedHandleMakesRoom() {
        let registry = registry(SeriesLimits(series: 1))
        for client in 0..<3 {
            let counter = Counter(label: "a", dimensions: [("client", "\(client)")], factory: registry)
            counter.increment()
            #expect(registry.text() == "# TYPE a counter\na{client=\"\(client)\"} 1\n")
            counter.destroy()
            #expect(registry.text() == "")
        }
        // Without the last series, the name is free for another kind, too.
        Timer(label: "a", factory: registry).recordNanoseconds(1)
        #expect(registry.text().hasPrefix("# TYPE a histogram\n"))
        #expect(said.all.isEmpty)
    }

    @Test func everyKindOfHandleCanBeDestroyed() {
        let registry = registry()
        Counter(label: "a", factory: registry).destroy()
        FloatingPointCounter(label: "b", factory: registry).destroy()
        Meter(label: "c", factory: registry).destroy()
        Gauge(label: "d", factory: registry).destroy()
        Recorder(label: "e", factory: registry).destroy()
        Timer(label: "f", factory: registry).destroy()
        #expect(registry.text() == "")
        Counter(label: "a", factory: registry).increment()
        let refused = Gauge(label: "a", factory: registry)
        refused.destroy()
        #expect(registry.text() == "# TYPE a counter\na 1\n")
    }

    @Test func aHandleThatOutlivesItsSeriesHarmsNoNewOne() {
        let registry = registry()
        let old = Counter(label: "a", factory: registry)
        old.destroy()
        let new = Counter(label: "a", factory: registry)
        new.increment()
        old.increment(by: 100)
        old.destroy()
        #expect(registry.text() == "# TYPE a counter\na 1\n")
    }
}
