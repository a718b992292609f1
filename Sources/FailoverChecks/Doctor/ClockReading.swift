package import FailoverCore
import FailoverSystem

/// How far a server's clock is from this machine's, as one question tells.
package struct ClockReading: Hashable, Sendable {
    /// The server's time less this machine's.
    package var offset: Duration
    /// The answer's way took time: so far off the offset may be, either way.
    package var uncertainty: Duration

    package init(offset: Duration, uncertainty: Duration) {
        self.offset = offset
        self.uncertainty = uncertainty
    }

    /// - Parameters:
    ///   - server: what the server answered.
    ///   - asked: when it was asked.
    ///   - answered: when the answer was there.
    package init(server: WallTime, asked: WallTime, answered: WallTime) {
        let half = (answered.sinceEpoch - asked.sinceEpoch) / 2
        offset = server.sinceEpoch - asked.sinceEpoch - half
        uncertainty = max(half, .zero)
    }

    /// How far the clocks of two servers are surely apart; zero when they may be the same.
    package func surelyApart(from other: ClockReading) -> Duration {
        let difference = offset > other.offset ? offset - other.offset : other.offset - offset
        return max(.zero, difference - uncertainty - other.uncertainty)
    }
}
