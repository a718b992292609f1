import CoreMetrics
import FailoverSystem
import FailoverTesting
import Glibc
import Testing

@testable import FailoverTelemetry

/// Debian's package `prometheus`.
private let promtool = "/usr/bin/promtool"

@Suite(
    "The format, checked by Prometheus' promtool", .timeLimit(.minutes(5)),
    .enabled(if: access(promtool, X_OK) == 0, "needs \(promtool), of package prometheus"))
struct PromtoolTests {
    private func check(_ text: String) async throws -> CommandResult {
        let command = Command([promtool, "check", "metrics"], input: Array(text.utf8))
        return try await onThread { try ChildProcess.run(command, until: Deadline(.ample)) }
    }

    private func registry() -> PrometheusRegistry {
        let registry = PrometheusRegistry()
        for name in [
            "calls_total", "cpu_seconds_total", "sessions_open", "lag_seconds", "ping_seconds", "row_size_bytes",
        ] {
            registry.describe(name, "A \"description\", with \\ and\na second line.")
        }
        for service in ["slave", "", "a\"b\\c\r\nd", "größe \u{1F418}"] {
            let labels = [("service", service), ("__type", "x")]
            Counter(label: "calls_total", dimensions: labels, factory: registry).increment()
            FloatingPointCounter(label: "cpu_seconds_total", dimensions: labels, factory: registry).increment(by: 1e-9)
            Meter(label: "sessions_open", dimensions: labels, factory: registry).set(-1)
            Gauge(label: "lag_seconds", dimensions: labels, factory: registry).record(Double.infinity)
            Timer(label: "ping_seconds", dimensions: labels, factory: registry).recordMilliseconds(3)
            Recorder(label: "row_size_bytes", dimensions: labels, factory: registry).record(1e30)
        }
        registry.addCollector(ProcessCollector().collect)
        return registry
    }

    @Test func everythingIsReadWithoutAWarning() async throws {
        let result = try await check(registry().text())
        #expect(result.succeeded)
        #expect(String(decoding: result.output, as: UTF8.self) == "")
    }

    @Test func aMistakeWouldBeNoticed() async throws {
        let text = registry().text()
        #expect(try await !check(text + text).succeeded)
        #expect(try await !check(text.replacing("\\\"", with: "\"")).succeeded)
    }
}
