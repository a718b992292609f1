import FailoverCore

/// Gives one loop's sessions of a route their turns: those whose server is lost to search another one, and those that
/// may have changed their state to have their server asked for it.
final class MigrationTurns: Pollable {
    var pace: DrainPace
    private unowned let loop: EventLoop
    private var slot = -1
    /// The sessions whose server is lost.
    private var searching: [Entry] = []
    /// The sessions whose state is unknown, by number.
    private var unknown: [UInt64: (entry: Entry, since: UInt64)] = [:]
    private var nextLook: UInt64 = 0

    /// A session. Slots are used again, so the number tells whether it is still the same one.
    private struct Entry {
        let slot: Int
        let session: UInt64
    }

    /// The silence after which a session is asked about, and the time after which one is that is never silent, in
    /// nanoseconds.
    private static let silence: UInt64 = 50_000_000
    private static let patience: UInt64 = 1_000_000_000
    /// The time between two looks.
    private static let lookInterval: UInt64 = 50_000_000
    /// The number of sessions that are asked about at each look.
    private static let mostAsked = 16

    init(loop: EventLoop, pace: DrainPace) {
        self.loop = loop
        self.pace = pace
    }

    /// The session's server is lost.
    func search(_ session: Session) {
        searching.append(Entry(slot: session.slot, session: session.id))
        wake(at: loop.now)
    }

    /// Something that the session has sent may have changed it.
    func ask(_ session: Session) {
        guard unknown[session.id] == nil else { return }
        unknown[session.id] = (Entry(slot: session.slot, session: session.id), loop.now)
        if searching.isEmpty, unknown.count == 1 { wake(at: loop.now &+ Self.lookInterval) }
    }

    func ready(_ readiness: Readiness, side: Side) {}
    func resume() {}

    func deadlinePassed() {
        giveTurns()
        if loop.now >= nextLook { askServers() }
        if !searching.isEmpty {
            wake(at: loop.now &+ DrainPace.tick)
        } else if !unknown.isEmpty {
            wake(at: loop.now &+ Self.lookInterval)
        }
    }

    private func wake(at time: UInt64) {
        if slot < 0 { slot = loop.admit(self) }
        loop.setDeadline(time, slot: slot)
    }

    private func session(_ entry: Entry) -> Session? {
        guard let session = loop.tenant(slot: entry.slot) as? Session, session.id == entry.session, !session.isLeaving
        else { return nil }
        return session
    }

    /// The busiest first: their clients wait already, or soon.
    private func giveTurns() {
        guard !searching.isEmpty else { return }
        let sessions = searching.compactMap(session).filter(\.awaitsServer).sorted { $0.lastActivity > $1.lastActivity }
        var given = 0
        for session in sessions {
            guard pace.take(at: loop.now) else { break }
            given += 1
            session.takeTurn()
        }
        searching = sessions.dropFirst(given).map { Entry(slot: $0.slot, session: $0.id) }
    }

    private func askServers() {
        nextLook = loop.now &+ Self.lookInterval
        var asked = 0
        for (number, (entry, since)) in unknown {
            guard asked < Self.mostAsked else { return }
            guard let session = session(entry), let record = session.record, record.isUntold,
                record.pinned(isAsked: true) == nil
            else {
                unknown[number] = nil
                continue
            }
            guard !record.isResting(at: loop.now), session.canMove,
                loop.now &- min(loop.now, session.lastActivity) >= Self.silence || loop.now &- since >= Self.patience
            else { continue }
            unknown[number] = nil
            asked += 1
            session.askForState()
        }
    }
}
