import FailoverTesting
import Glibc
import Testing

@testable import FailoverTelemetry

@Suite("Process metrics", .timeLimit(.minutes(5)))
struct ProcessCollectorTests {
    /// The samples by name.
    private func collected(_ collector: ProcessCollector = ProcessCollector()) -> [String: Double] {
        let registry = PrometheusRegistry()
        registry.addCollector(collector.collect)
        let lines = registry.text().split(separator: "\n").filter { !$0.hasPrefix("#") }
        return Dictionary(
            uniqueKeysWithValues: lines.map { line in
                let words = line.split(separator: " ")
                return (String(words[0]), Double(words[1].replacing("+Inf", with: "inf")) ?? .nan)
            })
    }

    @Test func theStatusIsReadWhateverTheProgramIsCalled() throws {
        let numbers = (3...52).map { $0 == 3 ? "S" : "\($0)" }.joined(separator: " ")
        for name in ["failover", "a) b (c", ") R 1 2 3", ""] {
            let status = try #require(ProcessStatus(stat: "42 (\(name)) \(numbers)\n"))
            #expect(status.cpuTicks == 14 + 15)
            #expect(status.startTicks == 22)
            #expect(status.residentPages == 24)
        }
    }

    @Test(arguments: [
        "", "42 (failover", "42 (failover) S 1 2 3", "42 (failover) " + String(repeating: "x ", count: 60),
    ])
    func aStatusOfAnotherShapeIsNone(text: String) { #expect(ProcessStatus(stat: text) == nil) }

    @Test func theBootTimeIsALineOfItsOwn() {
        #expect(ProcessCollector.bootTime("cpu 1 2\nintr 5 btime 3\nbtime 1700000000\nprocesses 1\n") == 1_700_000_000)
        #expect(ProcessCollector.bootTime("cpu 1 2\n") == nil)
    }

    @Test func entriesOfADirectoryAreCounted() throws {
        let scratch = try Scratch()
        let path = scratch.path("")
        #expect(ProcFile.entries(path) == 0)
        for name in ["a", ".b", "c"] { mkdir("\(path)/\(name)", 0o700) }
        #expect(ProcFile.entries(path) == 3)
        #expect(ProcFile.entries("\(path)/none") == nil)
        #expect(ProcFile.text("\(path)/none") == nil)
        #expect(ProcFile.text(path) == nil)
    }

    @Test func theNumbersOfThisProcessAreItsOwn() throws {
        let descriptors = (0..<100).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
        defer { for descriptor in descriptors { close(descriptor) } }
        let values = collected()
        #expect(
            values.keys.sorted() == [
                "process_cpu_seconds_total", "process_max_fds", "process_open_fds", "process_resident_memory_bytes",
                "process_start_time_seconds",
            ])
        let inUse = try #require(values["process_open_fds"])
        let most = try #require(values["process_max_fds"])
        #expect(inUse >= 100 && inUse <= most)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #expect(most == Double(limit.rlim_cur) || limit.rlim_cur == rlim_t.max)
        let started = try #require(values["process_start_time_seconds"])
        let now = Double(time(nil))
        // Both clocks count in whole seconds.
        #expect(started <= now + 1 && started > now - 24 * 3600)
    }

    @Test func itsMetricsAreThoseOfTheList() throws {
        let registry = PrometheusRegistry()
        registry.addCollector(ProcessCollector().collect)
        let listed = try ListedMetric.all().filter { $0.name.hasPrefix("process_") }
        #expect(ListedMetric.scraped(in: registry.text()) == listed)
    }

    @Test func memoryAndTimeGrowWithUse() throws {
        let collector = ProcessCollector()
        let before = collected(collector)
        let size = 64 << 20
        let bytes = [UInt8](repeating: 1, count: size)
        // At least a tenth of a second on the CPU.
        var sum: UInt64 = 0
        let from = clock()
        while clock() - from < 100_000 { for byte in bytes.prefix(10_000) { sum &+= UInt64(byte) } }
        let after = collected(collector)
        let memory = try #require(after["process_resident_memory_bytes"])
        #expect(memory >= Double(bytes.count) && sum > 0)
        let (first, second) = (before["process_cpu_seconds_total"], after["process_cpu_seconds_total"])
        #expect(try #require(second) - #require(first) >= 0.08)
        withExtendedLifetime(bytes) {}
    }
}
