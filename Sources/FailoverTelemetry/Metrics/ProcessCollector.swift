import Glibc

/// Collects the process metrics that Prometheus' client libraries have, under the same names. Values that the kernel
/// does not provide are left out.
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
        // One of the descriptors belongs to the directory that is being read.
        if let open = ProcFile.entries("/proc/self/fd") {
            writer.gauge("process_open_fds", help: "Open file descriptors.", value: Double(open - 1))
        }
        if let most = Self.mostDescriptors() {
            writer.gauge("process_max_fds", help: "File descriptors that may be open (RLIMIT_NOFILE).", value: most)
        }
        guard let status = ProcFile.text("/proc/self/stat").flatMap(ProcessStatus.init(stat:)) else { return }
        writer.gauge(
            "process_resident_memory_bytes", help: "Resident memory size.",
            value: Double(status.residentPages) * pageSize)
        writer.counter(
            "process_cpu_seconds_total", help: "User and system CPU time.",
            value: Double(status.cpuTicks) / ticksPerSecond)
        guard let bootTime else { return }
        writer.gauge(
            "process_start_time_seconds", help: "When the process started, in seconds since 1970.",
            value: bootTime + Double(status.startTicks) / ticksPerSecond)
    }

    /// The `btime` line of `/proc/stat`.
    static func bootTime(_ text: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    }

    private static func mostDescriptors() -> Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
    }
}

/// The content of `/proc/self/stat`; see proc(5).
struct ProcessStatus: Hashable, Sendable {
    /// User and system time of all threads, in clock ticks.
    let cpuTicks: UInt64
    /// Clock ticks from the start of the machine to the start of the process.
    let startTicks: UInt64
    /// The number of pages in memory.
    let residentPages: UInt64

    /// - Returns: `nil` if a field is missing.
    init?(stat text: String) {
        // The second field is the program's name in parentheses. It may contain spaces and parentheses.
        guard let end = text.lastIndex(of: ")") else { return nil }
        // These are the fields from the third one on.
        let fields = text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
        func field(_ number: Int) -> UInt64? { fields.count > number - 3 ? UInt64(fields[number - 3]) : nil }
        guard let user = field(14), let system = field(15), let start = field(22), let pages = field(24) else {
            return nil
        }
        cpuTicks = user &+ system
        startTicks = start
        residentPages = pages
    }
}

/// Reads files and directories of the proc file system. Their sizes are not known in advance.
enum ProcFile {
    /// The text of a file; `nil` if it cannot be read.
    static func text(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count > 0 {
                bytes += buffer[..<count]
            } else if count == 0 {
                return String(decoding: bytes, as: UTF8.self)
            } else if errno != EINTR {
                return nil
            }
        }
    }

    /// The number of entries in a directory, without `.` and `..`; `nil` if it cannot be read.
    static func entries(_ path: String) -> Int? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count - 2
    }
}
