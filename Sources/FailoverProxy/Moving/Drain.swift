import FailoverCore

/// Moves one loop's sessions of a route to a better alias. It ends those that are idle at a transaction boundary, the
/// longest idle first. Sessions that are never idle are ended as they pass a boundary. Sessions that reach no boundary
/// before `drain_deadline` are ended anyway. All of this happens at the route's pace.
final class Drain: Pollable {
    var pace: DrainPace
    var settings: SessionSettings
    /// What the servers have said of sessions that the proxy cannot read.
    private(set) var questions = BoundaryQuestions()
    private unowned let mover: SessionMover
    private let route: Int
    private var slot = -1
    /// The sessions to move. They are checked in turn.
    private var waiting: [Entry] = []
    /// The numbers of the sessions in ``waiting``.
    private var members: Set<UInt64> = []
    /// How many sessions of the current round are still to be checked.
    private var unchecked = 0
    /// The sessions that the current round has found ready to move, so far.
    private var found: [Ready] = []
    /// The sessions that the last round has found ready to move, the longest idle first.
    private var ready: [Ready] = []

    /// A session. Slots are used again, so the number tells whether it is still the same one.
    private struct Entry {
        let slot: Int
        let session: UInt64
    }

    private struct Ready {
        let entry: Entry
        let lastActivity: UInt64
    }

    /// Sessions checked per tick.
    private static let most = 256
    /// The silence after which a client that has spoken last wants no answer. Some requests have none, such as the end
    /// of a prepared statement in MySQL's protocol. Before that, it may have sent half a request.
    private static let unansweredSilence: UInt64 = 3_000_000_000

    init(mover: SessionMover, route: Int, settings: SessionSettings, pace: DrainPace) {
        self.mover = mover
        self.route = route
        self.settings = settings
        self.pace = pace
    }

    private var loop: EventLoop { mover.environment.loop }
    private var times: DrainTimes {
        mover.departure == nil ? DrainTimes(moving: settings) : DrainTimes(departing: settings)
    }

    /// Adds the session.
    func add(_ session: Session) {
        if slot < 0 { slot = loop.admit(self) }
        if waiting.isEmpty { loop.setDeadline(nextTick, slot: slot) }
        guard members.insert(session.id).inserted else { return }
        waiting.append(Entry(slot: session.slot, session: session.id))
    }

    func ready(_ readiness: Readiness, side: Side) {}
    func resume() {}

    func deadlinePassed() {
        check()
        moveReady()
        if settings.attest, questions.beginPeriod(at: loop.now) { askServers() }
        loop.setDeadline(waiting.isEmpty ? nil : nextTick, slot: slot)
    }

    /// The ticks of all loops come at the same times, so that their questions come together.
    private var nextTick: UInt64 { (loop.now / DrainPace.tick &+ 1) &* DrainPace.tick }

    /// The session has passed bytes of its server. It is moved now if it is never idle and no other one waits for its
    /// turn.
    ///
    /// - Returns: whether it was moved.
    func moveBusy(_ session: Session) -> Bool {
        guard ready.isEmpty, moment(of: session)?.isRestless == true, session.canMove, pace.take(at: loop.now) else {
            return false
        }
        mover.move(session)
        return true
    }

    /// Whether the server has said that the session, which the proxy cannot read, is at a boundary.
    func isAttested(_ session: Session) -> Bool { isAttested(session, moment(of: session)) }
}

// MARK: - Who may move

extension Drain {
    private func session(_ entry: Entry) -> Session? {
        guard let session = loop.tenant(slot: entry.slot) as? Session, session.id == entry.session, !session.isLeaving
        else { return nil }
        return session
    }

    /// What decides whether the session may be ended now; `nil` if it does not have to move.
    private func moment(of session: Session) -> DrainEligibility? {
        session.movesSince.map {
            DrainEligibility(
                now: loop.now, since: $0, lastActivity: session.lastActivity, startedAt: session.startedAt, times: times
            )
        }
    }

    /// During a shutdown, sessions that reach no boundary are ended at the end of the grace period instead.
    private func isOverdue(_ moment: DrainEligibility) -> Bool {
        guard mover.departure != .shutdown, let deadline = settings.drainDeadline?.nanoseconds else { return false }
        return moment.now &- moment.since >= deadline
    }

    /// Whether the session may be ended now without loss.
    private func maybeMoved(_ session: Session, _ moment: DrainEligibility) -> Bool {
        if isOverdue(moment) { return true }
        guard moment.hasRested || moment.isRestless else { return false }
        if session.stream.isReadable { return session.canMove }
        return isAttested(session, moment) && isSilent(session, moment)
    }

    private func isAttested(_ session: Session, _ moment: DrainEligibility?) -> Bool {
        settings.attest
            && questions.isAttested(
                session.id, bytes: session.bytesPassed, clientSpokeLast: session.clientSpokeLast,
                isRestless: moment?.isRestless == true, now: loop.now)
    }

    /// Whether all bytes of the session have arrived where they go, so that the server knows all that its client has
    /// said. The server's own list says "idle" as long as it has not read a request.
    private func isSilent(_ session: Session, _ moment: DrainEligibility) -> Bool {
        // PostgreSQL answers every exchange.
        guard !session.clientSpokeLast || mover.environment.configuration.routes[route].engine == .mysql else {
            return false
        }
        let silence = session.clientSpokeLast ? Self.unansweredSilence : DrainTimes.shortestSilence
        return moment.silence >= silence && session.isQuiet && session.serverHasAcknowledgedAll
    }

    /// Checks the next sessions. At the end of a round, ``ready`` is replaced.
    private func check() {
        if unchecked == 0 { unchecked = waiting.count }
        let turn = waiting.prefix(min(Self.most, unchecked))
        unchecked -= turn.count
        waiting.removeFirst(turn.count)
        for entry in turn {
            guard let session = session(entry), let moment = moment(of: session) else {
                questions.forget(entry.session)
                members.remove(entry.session)
                continue
            }
            waiting.append(entry)
            if maybeMoved(session, moment) {
                found.append(Ready(entry: entry, lastActivity: session.lastActivity))
            }
        }
        guard unchecked == 0 else { return }
        ready = found.sorted { $0.lastActivity < $1.lastActivity }
        found = []
    }

    /// Moves those that are ready, as far as the pace allows it.
    private func moveReady() {
        var done = 0
        for candidate in ready {
            if let session = session(candidate.entry), !takeTurn(session) { break }
            done += 1
        }
        ready.removeFirst(done)
    }

    /// Moves the session, if it may be moved.
    ///
    /// - Returns: false if the pace has no turn for it now.
    private func takeTurn(_ session: Session, ifRestless: Bool = false) -> Bool {
        guard pace.isFree(at: loop.now) else { return false }
        guard let moment = moment(of: session), moment.isRestless || !ifRestless, maybeMoved(session, moment) else {
            return true
        }
        guard pace.take(at: loop.now) else { return false }
        mover.move(session)
        return true
    }
}

// MARK: - Questions to servers

extension Drain {
    /// Asks for the sessions that the proxy cannot read and that are silent.
    private func askServers() {
        guard mover.environment.configuration.routes[route].engine != .tcp else { return }
        questions.forgetOverdue(now: loop.now)
        var asked: [BoundaryQuestions.Place: [SocketAddress: (session: UInt64, bytes: UInt64)]] = [:]
        // Each of them costs some system calls.
        var left = BoundaryQuestions.most
        for entry in waiting {
            guard left > 0 else { break }
            guard let session = session(entry), let alias = session.machine.alias, needsQuestion(session, alias)
            else { continue }
            left -= 1
            guard let moment = moment(of: session), isSilent(session, moment), let connection = session.connection
            else { continue }
            let place = BoundaryQuestions.Place(alias: alias, server: connection.server)
            guard !questions.isAsking(place) else { continue }
            asked[place, default: [:]][connection.source] = (session.id, session.bytesPassed)
        }
        for (place, sessions) in asked { ask(place, sessions) }
    }

    private func needsQuestion(_ session: Session, _ alias: Int) -> Bool {
        !session.stream.isReadable && !questions.isResting(alias, now: loop.now)
            && questions.needsQuestion(session.id, bytes: session.bytesPassed, now: loop.now)
    }

    private func ask(
        _ place: BoundaryQuestions.Place, _ sessions: [SocketAddress: (session: UInt64, bytes: UInt64)]
    ) {
        let number = questions.ask(place, for: sessions, now: loop.now)
        let (handle, route) = (mover.environment.handle, route)
        mover.environment.observer.boundariesWanted(
            BoundaryQuestion(alias: place.alias, server: place.server, sessions: Array(sessions.keys)) { answer in
                handle.mailbox.post(.boundaries(route: route, question: number, place, answer))
            })
    }

    /// Takes a server's answer.
    func answered(_ question: UInt64, from place: BoundaryQuestions.Place, _ reply: BoundaryReply) {
        let asked = questions.answered(question, from: place, reply, now: loop.now)
        guard case .told(let atBoundary) = reply, !atBoundary.isEmpty else { return }
        // A session that never rests for long has to be taken at once.
        let sessions = waiting.filter { asked.contains($0.session) }.compactMap(session)
        for session in sessions.sorted(by: { $0.lastActivity < $1.lastActivity }) {
            guard takeTurn(session, ifRestless: true) else { return }
        }
    }
}
