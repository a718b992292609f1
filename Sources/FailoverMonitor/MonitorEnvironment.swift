public import FailoverCore
public import FailoverSystem
import Glibc
public import Logging
public import Metrics

/// What every monitored service of a process shares: its clocks, its log and metrics, and how the process is known to others.
public struct MonitorEnvironment: Sendable {
    public var clock: MonotonicClock { timers.clock }
    /// By which it is noticed that this process stood still: the real one unless ``clock`` is moved by hand.
    public var processClock: MonotonicClock { didSet { pulse = Pulse(processClock) } }
    /// The time of day for events.
    public var timeOfDay: @Sendable () -> WallTime
    public var log: Logger
    /// The name of this machine.
    public var host: String
    public var processID: Int32
    /// Where pings and failed hooks are counted.
    public var metrics: any MetricsFactory
    /// Of ``clock``.
    package let timers: TimerQueue
    /// Of ``processClock``.
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
    /// The real clocks, this machine's name and this process's number.
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

/// Who has a service monitored: what is told of it beyond its log lines, and what its pings need to know. None of it may wait.
package struct MonitorOwner: Sendable {
    /// The alias that serves now, for events of services that have a route.
    package var currentAlias: @Sendable () -> String?
    /// Told at once, on the caller's thread, when what routes have to know has changed.
    package var onFacts: @Sendable (AliasFacts) -> Void
    /// Told when it has become another of the servers that it may be.
    package var onMove: @Sendable (_ former: Endpoint, _ server: Endpoint) -> Void
    /// Told after the hook and the log line, in order.
    package var onEvent: @Sendable (FailoverEvent) -> Void
    /// Where replicas and their primaries compare positions; `nil` where nobody compares them.
    package var positions: PrimaryPositions.OfAlias?
    /// The part of the interval, from 0 to 1, between the first ping and the second.
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
