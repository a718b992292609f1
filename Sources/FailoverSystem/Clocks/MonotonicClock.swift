public import FailoverCore
import Glibc

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

// MARK: - Time limits

/// The end of a time limit, on a clock that never goes back.
package struct Deadline: Comparable, Sendable {
    private let instant: ContinuousClock.Instant

    /// The deadline of a time limit that begins now.
    package init(_ limit: Duration) { instant = .now + limit }

    private init(at instant: ContinuousClock.Instant) { self.instant = instant }

    /// The time left; never negative.
    package var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: instant)) }

    package var hasPassed: Bool { remaining == .zero }

    /// The time left in milliseconds, for poll(2). Rounded up, so that a wait does not end early.
    package var remainingMilliseconds: Int32 {
        let (seconds, attoseconds) = remaining.components
        guard seconds < 1_000_000 else { return 1_000_000_000 }
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    package static func < (a: Deadline, b: Deadline) -> Bool { a.instant < b.instant }

    /// The deadline of the next attempt if `count` attempts share the time left equally.
    package func share(of count: Int) -> Deadline {
        count < 2 ? self : Deadline(at: .now + remaining / count)
    }
}

extension Duration {
    /// Text for people: `2 s`, `300 ms`.
    package var text: String {
        let (seconds, attoseconds) = max(.zero - .longest, min(self, .longest)).components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}

/// What poll(2) reported about one descriptor.
package enum SocketReadiness: Sendable {
    case ready
    case timedOut
    case failed(SystemError)

    /// Waits until the descriptor is ready for one of `events`, or broken. The next call on a broken descriptor
    /// reports the error.
    package static func wait(for events: Int32, on descriptor: Int32, until deadline: Deadline) -> SocketReadiness {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            // The deadline also applies to a peer that is always ready.
            if deadline.hasPassed { return .timedOut }
            let count = poll(&entry, 1, deadline.remainingMilliseconds)
            if count > 0 { return .ready }
            if count < 0 && errno != EINTR { return .failed(.last()) }
        }
    }
}
