/// Waiting for work that may never return.
package enum Patience {
    /// The task's value; `nil` when it does not come before `deadline`, or when the waiting task is cancelled.
    ///
    /// The work itself goes on: a task group would wait for it.
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
