import FailoverCore
import FailoverSystem

/// Lets one log line through per interval, one second by default, and counts the others.
struct LogThrottle {
    private let interval: UInt64
    private var next: UInt64 = 0
    private var suppressed = 0

    init(interval: Duration = .seconds(1)) { self.interval = interval.nanoseconds }

    /// - Parameter now: nanoseconds of a monotonic clock.
    /// - Returns: the number of lines suppressed since the last one; `nil` if this line is suppressed too.
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

/// The throttles of log lines that any session can cause.
struct LogThrottles {
    var refusals = LogThrottle()
    var decisions = LogThrottle()
    var unguarded = LogThrottle()
    var stale = LogThrottle(interval: .seconds(10))
    var lastResorts = LogThrottle()
}
