import Failover
import FailoverCore

/// Logs in to a route again and again, one login after another, until it is stopped.
final class Prober: Sendable {
    /// What the task and whoever stops it share.
    private final class Record: Sendable {
        let tally = Lock(ProbeTally())
        let isStopped = Lock(false)
    }

    /// From the beginning of a login to that of the next, if it is done by then.
    private static let interval = Duration.milliseconds(100)

    private let record: Record
    private let task: Task<Void, Never>

    /// Begins.
    ///
    /// - Parameter start: where times count from.
    init(_ probe: RouteProbe, start: ContinuousClock.Instant) {
        let record = Record()
        self.record = record
        task = Task {
            while !record.isStopped.withLock({ $0 }) {
                let began = ContinuousClock.now
                let answer = await probe.login()
                let (from, to) = (start.duration(to: began), start.duration(to: .now))
                record.tally.withLock { $0.add(answer, began: from, ended: to) }
                try? await Task.sleep(until: began + Self.interval)
            }
        }
    }

    /// Waits for the login that is under way.
    func stop() async -> ProbeTally {
        record.isStopped.withLock { $0 = true }
        await task.value
        return record.tally.withLock { $0 }
    }
}
