/// The time of one process: any clock, read as time since the moment this value was made.
public struct MonotonicClock: Sendable {
    private let readTime: @Sendable () -> MonotonicTime
    private let sleepUntil: @Sendable (MonotonicTime) async throws -> Void

    /// The given clock, with now as the origin. Tests pass one that they move themselves.
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
