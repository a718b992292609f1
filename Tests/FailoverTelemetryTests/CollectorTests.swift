import CoreMetrics
import FailoverSystem
import Testing

@testable import FailoverTelemetry

@Suite("Collectors", .timeLimit(.minutes(5)))
struct CollectorTests {
    @Test func stateHeldElsewhereIsReadAtEachScrape() {
        let registry = PrometheusRegistry()
        let isUp = Lock(true)
        registry.addCollector { writer in
            let value: Double = isUp.withLock { $0 ? 1 : 0 }
            writer.gauge("up", help: "Whether it is up.", labels: [("service", "slave")], value: value)
        }
        let up = "# HELP up Whether it is up.\n# TYPE up gauge\nup{service=\"slave\"} "
        #expect(registry.text() == up + "1\n")
        isUp.withLock { $0 = false }
        #expect(registry.text() == up + "0\n")
    }

    @Test func collectorsAndHandlesShareAFamily() {
        let registry = PrometheusRegistry()
        Counter(label: "a_total", dimensions: [("x", "2")], factory: registry).increment()
        registry.addCollector { $0.counter("a_total", help: "As.", labels: [("x", "1")], value: 0.5) }
        registry.addCollector { $0.counter("a_total", help: "Ignored.", labels: [("x", "3")], value: 3) }
        #expect(
            registry.text() == """
                # HELP a_total As.
                # TYPE a_total counter
                a_total{x="1"} 0.5
                a_total{x="2"} 1
                a_total{x="3"} 3

                """)
    }

    @Test func aHistogramOfElsewhereIsWritten() {
        let registry = PrometheusRegistry()
        registry.addCollector { writer in
            var histogram = Histogram(HistogramBuckets([1]))
            histogram.observe(0.5)
            histogram.observe(2)
            writer.histogram("a", help: "A.", labels: [("x", "1")], value: histogram)
        }
        #expect(
            registry.text() == """
                # HELP a A.
                # TYPE a histogram
                a_bucket{x="1",le="1"} 1
                a_bucket{x="1",le="+Inf"} 2
                a_sum{x="1"} 2.5
                a_count{x="1"} 2

                """)
    }

    @Test func whatACollectorGetsWrongIsLeftOutAndToldOnce() {
        let said = Lock<[String]>([])
        let registry = PrometheusRegistry(limits: SeriesLimits(series: 2)) { line in said.withLock { $0.append(line) } }
        Gauge(label: "a", factory: registry).record(1)
        registry.addCollector { writer in
            writer.counter("a", help: "", value: 2)
            writer.gauge("a", help: "", value: 3)
            for value in ["1", "2", "3", "4"] { writer.gauge("b", help: "B.", labels: [("x", value)], value: 1) }
        }
        for _ in 0..<3 {
            #expect(
                registry.text() == """
                    # TYPE a gauge
                    a 1
                    # HELP b B.
                    # TYPE b gauge
                    b{x="1"} 1
                    b{x="2"} 1

                    """)
        }
        #expect(
            said.withLock { $0 } == [
                "metric a: requested as a counter, but it is a gauge; ignored",
                "metric a: a collector wrote a series that already exists; the first one is kept",
                "metric b: has 2 series; no more are kept",
            ])
    }

    @Test func namesOfSamplesBelongToOneMetricInAScrapeToo() {
        let registry = PrometheusRegistry()
        Timer(label: "a", factory: registry).recordNanoseconds(1)
        let before = registry.text()
        registry.addCollector { $0.counter("a_count", help: "", value: 1) }
        #expect(registry.text() == before)
    }

    @Test func aCollectorMayUseTheRegistry() {
        let registry = PrometheusRegistry()
        registry.addCollector { _ in Counter(label: "scrapes_total", factory: registry).increment() }
        #expect(registry.text() == "")
        #expect(registry.text() == "# TYPE scrapes_total counter\nscrapes_total 1\n")
    }
}
