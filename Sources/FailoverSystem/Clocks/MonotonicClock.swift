public import FailoverCore

/// The time of one process: any clock, read as the time since this value was made.
public struct MonotonicClock: Sendable {
    private let readTime: @Sendable () -> MonotonicTime
    private let sleepUntil: @Sendable (MonotonicTime) async throws -> Void

    /// The given clock, with now as the origin. Tests pass a clock that they move themselves.
    public init<C: Clock<Duration>>(_ clock: C = ContinuousClock()) {
        let origin = clock.now
        readTime = { MonotonicTime(origin.duration(to: clock.now)) }
        sleepUntil = { try await clock.sleep(until: origin.advanced(by: $0.sinceOrigin), tolerance: nil) }
    }

    public var now: MonotonicTime { readTime() }

    /// Waits until that time.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    public func sleep(until time: MonotonicTime) async throws { try await sleepUntil(time) }
}

/// Waiting for work that may never return.
package enum Timeout {
    /// The task's value; `nil` if it does not arrive before `deadline`, or if the waiting task is cancelled.
    ///
    /// The work itself continues. A task group would wait for it.
    package static func value<Value: Sendable>(
        of task: Task<Value, Never>, until deadline: MonotonicTime, clock: MonotonicClock
    ) async -> Value? {
        let (values, value) = AsyncStream.makeStream(of: Value.self, bufferingPolicy: .bufferingOldest(1))
        let watch = Task {
            value.yield(await task.value)
            value.finish()
        }
        let alarm = Task {
            guard (try? await clock.sleep(until: deadline)) != nil else { return }
            value.finish()
        }
        defer {
            watch.cancel()
            alarm.cancel()
        }
        for await value in values { return value }
        return nil
    }
}
