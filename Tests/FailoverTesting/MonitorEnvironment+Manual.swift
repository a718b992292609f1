package import FailoverCore
package import FailoverMonitor
import FailoverSystem

extension MonitorEnvironment {
    /// An environment whose clock the test moves, in which this process never seems to have stood still.
    ///
    /// - Parameter clock: the real one unless given.
    package static func manual(
        _ clock: ManualClock? = nil, log: CapturedLog = CapturedLog(), time: WallTime = WallTime(sinceEpoch: .zero),
        host: String = "web1"
    ) -> MonitorEnvironment {
        MonitorEnvironment(
            clock: clock.map { MonotonicClock($0) } ?? MonotonicClock(), processClock: MonotonicClock(ManualClock()),
            timeOfDay: { time }, log: log.logger, host: host, processID: 7)
    }
}
