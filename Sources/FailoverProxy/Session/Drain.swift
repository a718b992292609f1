import Synchronization

/// How fast sessions of one route may be moved, over all loops: at equal distances, so that the server they move to is
/// not stampeded.
final class DrainPace: Sendable {
    /// Nanoseconds between two.
    let interval: UInt64
    /// Sessions a second.
    let rate: Int
    private let next = Atomic<UInt64>(0)
    /// As who moves them looks once a tick, those of a tick may be moved at once.
    private let slack: UInt64

    /// - Parameter rate: sessions a second, at least 1.
    init(rate: Int) {
        self.rate = rate
        interval = 1_000_000_000 / UInt64(max(1, rate))
        slack = Drain.tick - min(Drain.tick, interval)
    }

    /// Whether a session may be moved at that time, in nanoseconds. In the mean one may for each ``interval``.
    func take(at now: UInt64) -> Bool {
        let earliest = next.load(ordering: .relaxed)
        guard earliest <= now else { return false }
        return next.compareExchange(
            expected: earliest, desired: max(earliest, now &- min(now, slack)) &+ interval, ordering: .relaxed
        ).exchanged
    }
}

/// Moves one loop's sessions of a route back to a better alias: looks at each in turn, and ends those that stand at a
/// transaction boundary and rest. Sessions that never rest pass their boundaries in between and are moved there. Those
/// that found none by `drain_deadline` are ended all the same, at the route's pace too.
final class Drain: Pollable {
    var pace: DrainPace
    var settings: SessionSettings
    private unowned let loop: EventLoop
    private var slot = -1
    /// Slots of sessions that are to move.
    private var waiting: [Int] = []

    /// Between two looks, in nanoseconds.
    fileprivate static let tick: UInt64 = 20_000_000
    /// Sessions looked at each time.
    private static let most = 256

    init(loop: EventLoop, settings: SessionSettings, pace: DrainPace) {
        self.loop = loop
        self.settings = settings
        self.pace = pace
    }

    /// The session in this slot is to move.
    func add(_ session: Int) {
        if slot < 0 { slot = loop.admit(self) }
        if waiting.isEmpty { loop.setDeadline(loop.now &+ Self.tick, slot: slot) }
        waiting.append(session)
    }

    func ready(_ readiness: Readiness, side: Side) {}
    func resume() {}

    func deadlinePassed() {
        let round = waiting.prefix(Self.most)
        waiting.removeFirst(round.count)
        for slot in round {
            guard let session = loop.tenant(slot: slot) as? Session, let moment = session.movingMoment else { continue }
            if isOverdue(moment.since, of: session), pace.take(at: loop.now) {
                session.worker.move(session)
            } else if !(moment.hasRested || moment.isRestless) || !session.worker.moveIfPossible(session) {
                waiting.append(slot)
            }
        }
        loop.setDeadline(waiting.isEmpty ? nil : loop.now &+ Self.tick, slot: slot)
    }

    /// At a shutdown it is the grace that ends what found no boundary.
    private func isOverdue(_ since: UInt64, of session: Session) -> Bool {
        guard session.worker.departure != .shutdown, let deadline = settings.drainDeadline?.nanoseconds else {
            return false
        }
        return loop.now &- since >= deadline
    }
}
