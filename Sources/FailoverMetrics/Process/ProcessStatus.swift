/// What `/proc/self/stat` says of a process; see proc(5).
struct ProcessStatus: Hashable, Sendable {
    /// User and system time of all threads, in clock ticks.
    let cpuTicks: UInt64
    /// Clock ticks from the machine's start to the process's.
    let startTicks: UInt64
    /// Pages in memory.
    let residentPages: UInt64

    /// - Returns: `nil` unless the text has the fields.
    init?(stat text: String) {
        // The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
        guard let end = text.lastIndex(of: ")") else { return nil }
        // From the third field on.
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
