public import Logging
public import Metrics

/// What every monitored service of a process shares: its clocks, its log and metrics, and how the process is known to others.
public struct MonitorEnvironment: Sendable {
    public var clock: MonotonicClock
    /// By which it is noticed that this process stood still: the real one unless ``clock`` is moved by hand.
    public var processClock: MonotonicClock
    /// The time of day for events.
    public var timeOfDay: @Sendable () -> WallTime
    public var log: Logger
    /// The name of this machine.
    public var host: String
    public var processID: Int32
    /// Where pings and failed hooks are counted.
    public var metrics: any MetricsFactory

    public init(
        clock: MonotonicClock = MonotonicClock(), processClock: MonotonicClock = MonotonicClock(),
        timeOfDay: @escaping @Sendable () -> WallTime, log: Logger,
        host: String, processID: Int32, metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.clock = clock
        self.processClock = processClock
        self.timeOfDay = timeOfDay
        self.log = log
        self.host = host
        self.processID = processID
        self.metrics = metrics
    }
}
