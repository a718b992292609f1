/// Lets one log line through in a time, a second unless told, and counts the rest.
struct LogThrottle {
    private let interval: UInt64
    private var next: UInt64 = 0
    private var suppressed = 0

    init(interval: Duration = .seconds(1)) { self.interval = interval.nanoseconds }

    /// - Parameter now: nanoseconds of a monotonic clock.
    /// - Returns: How many lines were held back since the last one; `nil` when this one is to be held back too.
    mutating func allow(at now: UInt64) -> Int? {
        guard now >= next else {
            suppressed += 1
            return nil
        }
        next = now &+ interval
        defer { suppressed = 0 }
        return suppressed
    }
}
