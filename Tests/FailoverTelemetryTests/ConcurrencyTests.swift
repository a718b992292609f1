import CoreMetrics
import Testing

@testable import FailoverTelemetry

@Suite("Metrics that many threads change", .timeLimit(.minutes(5)))
struct ConcurrencyTests {
    private static let tasks = 64
    private static let rounds = 2000

    private func inTasks(_ body: @escaping @Sendable (Int) -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<Self.tasks { group.addTask { body(task) } }
        }
    }

    @Test func nothingIsLost() async {
        let registry = PrometheusRegistry()
        let meter = Meter(label: "meter", factory: registry)
        let fraction = FloatingPointCounter(label: "fraction", factory: registry)
        let timer = Timer(label: "timer", factory: registry)
        await inTasks { task in
            for round in 0..<Self.rounds {
                // A new handle each time belongs to the same series.
                Counter(label: "counter", dimensions: [("of", "\(round % 2)")], factory: registry).increment()
                fraction.increment(by: 0.5)
                meter.increment(by: 2)
                meter.decrement(by: 1)
                timer.recordNanoseconds(1_000_000_000)
                if round == task { _ = registry.text() }
            }
        }
        let all = Self.tasks * Self.rounds
        let lines = Set(registry.text().split(separator: "\n").map(String.init))
        #expect(
            lines.isSuperset(of: [
                "counter{of=\"0\"} \(all / 2)", "counter{of=\"1\"} \(all / 2)", "fraction \(all / 2)", "meter \(all)",
                "timer_count \(all)", "timer_sum \(all)", "timer_bucket{le=\"0.5\"} 0", "timer_bucket{le=\"1\"} \(all)",
            ]))
    }

    @Test func aHistogramIsWrittenAsItWasAtOneMoment() async {
        let registry = PrometheusRegistry()
        let timer = Timer(label: "a", factory: registry)
        await inTasks { task in
            for _ in 0..<Self.rounds / 10 {
                timer.recordNanoseconds(1_000_000_000)
                guard task % 8 == 0 else { continue }
                let lines = registry.text().split(separator: "\n")
                let sum = lines.first { $0.hasPrefix("a_sum ") }?.dropFirst(6)
                let count = lines.first { $0.hasPrefix("a_count ") }?.dropFirst(8)
                let bucket = lines.first { $0.hasPrefix("a_bucket{le=\"1\"} ") }?.dropFirst(17)
                #expect(sum != nil && sum == count && sum == bucket)
            }
        }
    }

    @Test func handlesComeAndGoWhileAllIsWritten() async {
        let registry = PrometheusRegistry(limits: SeriesLimits(series: 16))
        await inTasks { task in
            for round in 0..<Self.rounds / 10 {
                let counter = Counter(label: "a", dimensions: [("x", "\(round % 32)")], factory: registry)
                counter.increment()
                if task % 8 == 0 { _ = registry.text() }
                counter.destroy()
            }
        }
        #expect(registry.text() == "")
    }
}
