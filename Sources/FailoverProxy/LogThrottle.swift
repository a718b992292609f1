/// Lets one log line a second through and counts the rest.
struct LogThrottle {
    private var next: UInt64 = 0
    private var suppressed = 0

    /// - Parameter now: nanoseconds of a monotonic clock.
    /// - Returns: How many lines were held back since the last one; `nil` when this one is to be held back too.
    mutating func allow(at now: UInt64) -> Int? {
        guard now >= next else {
            suppressed += 1
            return nil
        }
        next = now &+ 1_000_000_000
        defer { suppressed = 0 }
        return suppressed
    }
}
