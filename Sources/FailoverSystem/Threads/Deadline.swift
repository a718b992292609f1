import FailoverCore

/// The moment at which something's time is up, on a clock that never goes back.
package struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant

    package init(_ limit: Duration) { instant = .now + limit }

    private init(at instant: ContinuousClock.Instant) { self.instant = instant }

    /// What is left; never negative.
    package var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: instant)) }

    package var hasPassed: Bool { remaining == .zero }

    /// What is left as `poll(2)` wants it: rounded up, so that nobody gives up early.
    package var remainingMilliseconds: Int32 {
        let (seconds, attoseconds) = remaining.components
        guard seconds < 1_000_000 else { return 1_000_000_000 }
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    /// The deadline of the first of `count` attempts that share what is left.
    package func share(of count: Int) -> Deadline {
        count < 2 ? self : Deadline(at: .now + remaining / count)
    }
}

extension Duration {
    /// For people: `2 s`, `300 ms`.
    package var text: String {
        let (seconds, attoseconds) = max(.zero - .longest, min(self, .longest)).components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}
