import FailoverCore
import Synchronization

/// The pace at which one route's sessions are moved, over all loops. Moves are spaced evenly, so that the target
/// server is not overloaded.
final class DrainPace: Sendable {
    /// Nanoseconds between two moves.
    let interval: UInt64
    /// Sessions per second.
    let rate: Int
    private let next = Atomic<UInt64>(0)
    /// Sessions are checked once per tick, so the moves of one tick may happen at once.
    private let slack: UInt64

    /// The time between two checks of a ``Drain``, in nanoseconds.
    static let tick: UInt64 = 20_000_000

    /// - Parameter rate: sessions per second, at least 1.
    init(rate: Int) {
        self.rate = rate
        interval = 1_000_000_000 / UInt64(max(1, rate))
        slack = Self.tick - min(Self.tick, interval)
    }

    /// Whether a session may be moved at this time, in nanoseconds.
    func isFree(at now: UInt64) -> Bool { next.load(ordering: .relaxed) <= now }

    /// Takes a turn to move a session, if one is free at this time, in nanoseconds. On average there is one per
    /// ``interval``.
    func take(at now: UInt64) -> Bool {
        let earliest = next.load(ordering: .relaxed)
        guard earliest <= now else { return false }
        return next.compareExchange(
            expected: earliest, desired: max(earliest, now &- min(now, slack)) &+ interval, ordering: .relaxed
        ).exchanged
    }
}

/// The times that decide when a session that must move may be ended, in nanoseconds.
struct DrainTimes {
    /// The silence after which a session counts as idle.
    let idle: UInt64
    /// How long a session that is never idle is left alone.
    let busyAfter: UInt64
    /// The minimum age of a session that is ended, because the client of a new session will soon use or close it.
    let age: UInt64

    /// The silence after which a request is unlikely to be on its way.
    static let shortestSilence: UInt64 = 50_000_000

    /// The times for sessions that move to another server.
    init(moving settings: SessionSettings) {
        idle = max(Self.shortestSilence, settings.drainIdle.nanoseconds)
        busyAfter = settings.drainBusyAfter.nanoseconds
        age = settings.drainGrace.nanoseconds
    }

    /// The times for sessions of a process that ends, or whose clients another process accepts. They are shorter,
    /// because the time that is left is.
    init(departing settings: SessionSettings) {
        idle = Self.shortestSilence
        busyAfter = settings.drainGrace.nanoseconds
        age = settings.drainGrace.nanoseconds
    }
}

/// Decides whether a session that must move may be ended now if it is at a boundary. The client's next request may
/// already be on its way, and would be lost. Times are in nanoseconds of the loop's clock.
struct DrainEligibility {
    let now: UInt64
    /// When the move was decided.
    let since: UInt64
    let lastActivity: UInt64
    let startedAt: UInt64
    let times: DrainTimes

    /// The time since the last byte.
    var silence: UInt64 { now &- min(now, lastActivity) }

    /// Whether the session is idle.
    var hasRested: Bool { silence >= times.idle && isOfAge }

    /// Whether the session was left alone for long enough, so that any boundary is acceptable.
    var isRestless: Bool { now &- min(now, since) >= times.busyAfter && isOfAge }

    private var isOfAge: Bool { now &- min(now, startedAt) >= times.age }
}
