import FailoverCore
import FailoverSystem
import Glibc
import Synchronization

/// Counts the sessions of all loops and decides whether there is room for another.
final class SessionRegistry: Sendable {
    private let open = Atomic<Int>(0)
    private let numbers = Atomic<UInt64>(0)
    private let capacity: Int
    /// The keys that show to which servers a cancel request must be sent.
    let cancelKeys = CancelKeys()
    /// The limit of concurrent cancel requests.
    let cancelRequests = ConcurrencyLimit(limit: 64)
    /// The buffer budget of all sessions.
    let buffers = BufferBudget()
    private let whenEmpty: AsyncStream<Void>.Continuation
    /// Yields each time the last session has ended.
    let emptied: AsyncStream<Void>

    /// - Parameter capacity: the number of sessions that the process's descriptors allow.
    init(capacity: Int) {
        self.capacity = capacity
        (emptied, whenEmpty) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The number of open sessions.
    var count: Int { open.load(ordering: .relaxed) }

    /// Whether the descriptors allow one more session.
    var hasRoom: Bool { count < capacity }

    /// Counts a session, including one that is refused.
    func noteOpened() { open.add(1, ordering: .relaxed) }

    /// A number for a new session.
    func nextNumber() -> UInt64 { numbers.add(1, ordering: .relaxed).newValue }

    /// A session has ended.
    func noteClosed() {
        if open.subtract(1, ordering: .relaxed).newValue == 0 { whenEmpty.yield() }
    }
}

/// The process's limit of open descriptors.
struct DescriptorLimit {
    /// The limit in effect.
    let descriptors: Int

    /// The number of descriptors reserved for pings, logs, listeners, files and cancel requests, which need one
    /// connection per server.
    private static let reserve = 192

    /// Raises the soft limit to the hard one; getrlimit(2).
    static func raise() -> DescriptorLimit {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return DescriptorLimit(descriptors: 1024) }
        var raised = limit
        raised.rlim_cur = raised.rlim_max
        if setrlimit(resource, &raised) == 0 { limit = raised }
        return DescriptorLimit(descriptors: Int(clamping: limit.rlim_cur))
    }

    /// The number of sessions that the limit allows, at two descriptors each.
    var sessions: Int { max(1, (descriptors - min(Self.reserve, descriptors / 2)) / 2) }
}

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
    var handshakes = LogThrottle()
}
