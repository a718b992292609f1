import Glibc

/// What Prometheus' own client libraries tell of a process, under the same names. What the kernel does not say is left out.
package struct ProcessCollector: Sendable {
    private let ticksPerSecond: Double
    private let pageSize: Double
    /// When the machine started, in seconds since 1970.
    private let bootTime: Double?

    package init() {
        ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        pageSize = Double(sysconf(Int32(_SC_PAGESIZE)))
        bootTime = ProcFile.text("/proc/stat").flatMap(Self.bootTime)
    }

    /// Writes the `process_…` metrics.
    package func collect(_ writer: inout MetricsWriter) {
        // One of them is the directory that is being read.
        if let open = ProcFile.entries("/proc/self/fd") {
            writer.gauge("process_open_fds", help: "Open file descriptors.", value: Double(open - 1))
        }
        if let most = Self.mostDescriptors() {
            writer.gauge("process_max_fds", help: "File descriptors that may be open (RLIMIT_NOFILE).", value: most)
        }
        guard let status = ProcFile.text("/proc/self/stat").flatMap(ProcessStatus.init(stat:)) else { return }
        writer.gauge(
            "process_resident_memory_bytes", help: "Memory that is in RAM.",
            value: Double(status.residentPages) * pageSize)
        writer.counter(
            "process_cpu_seconds_total", help: "User and system CPU time.",
            value: Double(status.cpuTicks) / ticksPerSecond)
        guard let bootTime else { return }
        writer.gauge(
            "process_start_time_seconds", help: "When the process started, in seconds since 1970.",
            value: bootTime + Double(status.startTicks) / ticksPerSecond)
    }

    /// The line `btime` of `/proc/stat`.
    static func bootTime(_ text: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    }

    private static func mostDescriptors() -> Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
    }
}
