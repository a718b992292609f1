import FailoverCore

/// Moves one loop's sessions of a route to a better alias. It checks each session in turn and ends those that are idle
/// at a transaction boundary. Sessions that are never idle are ended as they pass a boundary. Sessions that reach no
/// boundary before `drain_deadline` are ended anyway, also at the route's pace.
final class Drain: Pollable {
    var pace: DrainPace
    var settings: SessionSettings
    private unowned let mover: SessionMover
    private var slot = -1
    /// The slots of sessions to move.
    private var waiting: [Int] = []

    /// Sessions checked per tick.
    private static let most = 256

    init(mover: SessionMover, settings: SessionSettings, pace: DrainPace) {
        self.mover = mover
        self.settings = settings
        self.pace = pace
    }

    private var loop: EventLoop { mover.environment.loop }

    /// Adds the session in this slot.
    func add(_ session: Int) {
        if slot < 0 { slot = loop.admit(self) }
        if waiting.isEmpty { loop.setDeadline(loop.now &+ DrainPace.tick, slot: slot) }
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
                mover.move(session)
            } else if !(moment.hasRested || moment.isRestless) || !mover.moveIfPossible(session) {
                waiting.append(slot)
            }
        }
        loop.setDeadline(waiting.isEmpty ? nil : loop.now &+ DrainPace.tick, slot: slot)
    }

    /// During a shutdown, sessions that reach no boundary are ended at the end of the grace period instead.
    private func isOverdue(_ since: UInt64, of session: Session) -> Bool {
        guard mover.departure != .shutdown, let deadline = settings.drainDeadline?.nanoseconds else {
            return false
        }
        return loop.now &- since >= deadline
    }
}
