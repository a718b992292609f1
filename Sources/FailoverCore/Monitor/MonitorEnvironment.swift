public import Logging

/// What every monitored service of a process shares: its clocks, its log, and how the process is known to others.
public struct MonitorEnvironment: Sendable {
    public var clock: MonotonicClock
    /// The time of day for events.
    public var timeOfDay: @Sendable () -> WallTime
    public var log: Logger
    /// The name of this machine.
    public var host: String
    public var processID: Int32

    public init(
        clock: MonotonicClock = MonotonicClock(), timeOfDay: @escaping @Sendable () -> WallTime, log: Logger,
        host: String, processID: Int32
    ) {
        self.clock = clock
        self.timeOfDay = timeOfDay
        self.log = log
        self.host = host
        self.processID = processID
    }
}
