package import FailoverCore
package import FailoverMonitor
import FailoverSystem

extension MonitorEnvironment {
    /// An environment with a clock that the test moves, in which this process never seems to have been paused.
    ///
    /// - Parameter clock: default: the real clock.
    package static func manual(
        _ clock: ManualClock? = nil, log: CapturedLog = CapturedLog(), time: WallTime = WallTime(sinceEpoch: .zero),
        host: String = "web1"
    ) -> MonitorEnvironment {
        MonitorEnvironment(
            clock: clock.map { MonotonicClock($0) } ?? MonotonicClock(), processClock: MonotonicClock(ManualClock()),
            timeOfDay: { time }, log: log.logger, host: host, processID: 7)
    }
}
