public import FailoverCore
public import FailoverSystem
import Glibc
public import Logging
public import Metrics

/// The parts that all monitored services of a process share: clocks, log, metrics, and the identity of the process.
public struct MonitorEnvironment: Sendable {
    /// The clock for intervals and time limits.
    public var clock: MonotonicClock { timers.clock }
    /// The clock that shows pauses of this process. It is the real clock, except in tests that set ``clock`` by hand.
    public var processClock: MonotonicClock { didSet { pulse = Pulse(processClock) } }
    /// The time of day for events.
    public var timeOfDay: @Sendable () -> WallTime
    public var log: Logger
    /// The name of this machine.
    public var host: String
    public var processID: Int32
    /// Counts pings and failed hooks.
    public var metrics: any MetricsFactory
    /// Timers of ``clock``.
    package let timers: TimerQueue
    /// Detects pauses, by ``processClock``.
    private(set) var pulse: Pulse

    public init(
        clock: MonotonicClock = MonotonicClock(), processClock: MonotonicClock = MonotonicClock(),
        timeOfDay: @escaping @Sendable () -> WallTime, log: Logger,
        host: String, processID: Int32, metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        timers = TimerQueue(clock)
        pulse = Pulse(processClock)
        self.processClock = processClock
        self.timeOfDay = timeOfDay
        self.log = log
        self.host = host
        self.processID = processID
        self.metrics = metrics
    }
}

extension MonitorEnvironment {
    /// The real clocks, the name of this machine and the process ID.
    package static func ofThisProcess(
        log: Logger, metrics: any MetricsFactory = MetricsSystem.factory
    ) -> MonitorEnvironment {
        MonitorEnvironment(timeOfDay: { .now }, log: log, host: hostName, processID: getpid(), metrics: metrics)
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// What the owner of a monitored service provides: callbacks, which receive more than the log lines, and data for the
/// pings. No callback may block.
package struct MonitorOwner: Sendable {
    /// The alias that serves now, for events of services that have a route.
    package var currentAlias: @Sendable () -> String?
    /// Called immediately, on the thread of the change, when the facts for routes have changed.
    package var onFacts: @Sendable (AliasFacts) -> Void
    /// Called when the service has moved to another of its possible servers.
    package var onMove: @Sendable (_ former: Endpoint, _ server: Endpoint) -> Void
    /// Called after the hook and the log line, in order.
    package var onEvent: @Sendable (FailoverEvent) -> Void
    /// Where replicas and their primaries compare positions; `nil` if they do not.
    package var positions: PrimaryPositions.OfAlias?
    /// The fraction of the interval, from 0 to 1, between the first ping and the second.
    package var phase: Double

    package init(
        currentAlias: @escaping @Sendable () -> String? = { nil },
        onFacts: @escaping @Sendable (AliasFacts) -> Void = { _ in },
        onMove: @escaping @Sendable (_ former: Endpoint, _ server: Endpoint) -> Void = { _, _ in },
        onEvent: @escaping @Sendable (FailoverEvent) -> Void = { _ in },
        positions: PrimaryPositions.OfAlias? = nil, phase: Double = 1
    ) {
        self.currentAlias = currentAlias
        self.onFacts = onFacts
        self.onMove = onMove
        self.onEvent = onEvent
        self.positions = positions
        self.phase = phase
    }
}
