public import FailoverCore

/// A clock whose time is the duration since this value was created.
public struct MonotonicClock: Sendable {
    private let readTime: @Sendable () -> MonotonicTime
    private let sleepUntil: @Sendable (MonotonicTime) async throws -> Void

    /// Creates a clock whose origin is now.
    ///
    /// - Parameter clock: the clock to read; default: the system's. Tests pass a clock that they move themselves.
    public init<C: Clock<Duration>>(_ clock: C = ContinuousClock()) {
        let origin = clock.now
        readTime = { MonotonicTime(origin.duration(to: clock.now)) }
        sleepUntil = { try await clock.sleep(until: origin.advanced(by: $0.sinceOrigin), tolerance: nil) }
    }

    /// The time since this value was created.
    public var now: MonotonicTime { readTime() }

    /// Waits until this time.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    public func sleep(until time: MonotonicTime) async throws { try await sleepUntil(time) }
}

/// Waiting for work that may never return.
package enum Timeout {
    /// The task's value; `nil` if the deadline passes first, or if the waiting task is cancelled.
    ///
    /// The task itself continues. A task group would wait for its end.
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
