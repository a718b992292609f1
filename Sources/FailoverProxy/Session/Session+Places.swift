import FailoverCore
import Logging

/// Where a session waits for a place.
enum Line: Sendable {
    case route(Int)
    case alias(Int)
}

/// The places that `max_connections` of its route and of an alias allow.
extension Session {
    /// Takes one of the places that the route has, or waits for one.
    ///
    /// - Returns: Whether the session has it.
    func takeRoutePlace() -> Bool {
        if holdsRoutePlace { return true }
        switch worker.lineup.routePlaces[route].take(orWait: waiter(for: .route(route))) {
        case .taken:
            holdsRoutePlace = true
            return true
        case .waits: awaitPlace()
        case .full: refuse(worker.refusalOfLimit(self))
        }
        return false
    }

    /// Takes one of the places that the alias has, unless the session has it already.
    func takePlace() -> Bool {
        guard placeOnAlias == nil, let alias = machine.alias else { return true }
        guard worker.lineup.aliasPlaces[alias].take() else { return false }
        placeOnAlias = alias
        return true
    }

    /// Waits for a place on one of the aliases that would serve the session had they room.
    ///
    /// - Returns: Whether it waits.
    func waitsForAlias(_ attempts: [SessionStateMachine.Attempt]) -> Bool {
        guard settings.queueTimeout != nil, holdsRoutePlace, !attempts.isEmpty,
            attempts.allSatisfy({ $0.failure == .full })
        else { return false }
        for alias in Set(attempts.map(\.alias)) where !isClosed {
            switch worker.lineup.aliasPlaces[alias].take(orWait: waiter(for: .alias(alias))) {
            case .taken:
                isQueued = true
                placeFound(in: .alias(alias))
                return true
            case .waits: awaitPlace()
            case .full: continue
            }
        }
        return isQueued
    }

    /// A place that the session waited for is its own.
    func placeFound(in line: Line) {
        leaveLines()
        switch line {
        case .route: holdsRoutePlace = true
        case .alias(let index): placeOnAlias = index
        }
        // Others may be up by now.
        share = share?.moved(to: nil)
        let (candidates, share) = worker.candidates(ofRoute: route)
        self.share = share
        advance(machine.placeFound(onAlias: placeOnAlias, candidates, now: loop.now))
        if !isClosed, !isLeaving { readClientWhileOpening() }
    }

    /// No place was left in time.
    func queueIsLate() {
        leaveLines()
        worker.traffic.routes[route].queueTimeouts += 1
        refuse(worker.refusalOfLimit(self))
    }

    /// Waits no more.
    func leaveLines() {
        guard isQueued else { return }
        isQueued = false
        worker.lineup.routePlaces[route].forget(id)
        for attempt in machine.attempts where attempt.failure == .full {
            worker.lineup.aliasPlaces[attempt.alias].forget(id)
        }
    }

    private func awaitPlace() {
        guard !isQueued else { return }
        isQueued = true
        if queueDeadline == 0 { queueDeadline = loop.now &+ (settings.queueTimeout ?? .zero).nanoseconds }
        loop.setDeadline(queueDeadline, slot: slot)
    }

    private func waiter(for line: Line) -> PlaceLine.Waiter? {
        guard settings.queueTimeout != nil else { return nil }
        return PlaceLine.Waiter(session: id, wake: worker.waker(session: id, slot: slot, line: line))
    }
}

// MARK: - The last resort

extension Session {
    /// Aliases that are down, to be tried before the client is refused: once, and by no more sessions at a time than may.
    func lastResort(_ attempts: [SessionStateMachine.Attempt]) -> [RouteTable.Candidate]? {
        // A route that is full by its own limits is well.
        let isFull = !attempts.isEmpty && attempts.allSatisfy { $0.failure == .full }
        guard !machine.isLastResort, !isFull else { return nil }
        let aliases = worker.lastResort(ofRoute: route)
        guard !aliases.isEmpty, worker.lineup.lastResortPlaces[route].take() else { return nil }
        hasLastResortPlace = true
        return aliases
    }

    func leaveLastResort() {
        if hasLastResortPlace { worker.lineup.lastResortPlaces[route].leave() }
        hasLastResortPlace = false
    }
}

// MARK: - Giving places back

extension Session {
    /// Tells the client that nobody serves it. While it takes its time to hear that it has no place.
    func refuse(_ refusal: Refusal) {
        leavePlaceOnAlias()
        leaveLastResort()
        leaveRoutePlace()
        advance(machine.refused(refusal, now: loop.now))
    }

    func leavePlaceOfOtherAlias() {
        if let share { self.share = share.moved(to: machine.alias) }
        if placeOnAlias != machine.alias { leavePlaceOnAlias() }
    }

    /// Neither its route, nor an alias, nor its source is to have it any more.
    func leavePlace() {
        leaveLines()
        share = share?.moved(to: nil)
        leavePlaceOnAlias()
        leaveLastResort()
        forgetKey()
        leaveRoutePlace()
        leaveSource()
    }

    private func leaveRoutePlace() {
        if holdsRoutePlace { worker.lineup.routePlaces[route].leave() }
        holdsRoutePlace = false
    }

    /// The session counts no more against what its source may have.
    ///
    /// - Parameter isForgotten: as if it had not come.
    func leaveSource(isForgotten: Bool = false) {
        guard sourceNumber != 0 else { return }
        worker.lineup.sources[route].leave(SourceKey(number: sourceNumber), isForgotten: isForgotten)
        sourceNumber = 0
    }

    private func leavePlaceOnAlias() {
        if let alias = placeOnAlias { worker.lineup.aliasPlaces[alias].leave() }
        placeOnAlias = nil
    }

    /// Counts the session against what its source may have.
    ///
    /// - Returns: why it must not be served, if so.
    func enterSource() -> Refusal? {
        let limits = worker.configuration.routes[route].sourceLimit
        guard limits != SourceLimit(), let key = SourceKey(source) else { return nil }
        if let refusal = worker.lineup.sources[route].enter(key, now: loop.now) {
            return worker.refusal(ofSource: self, refusal)
        }
        sourceNumber = key.number
        return nil
    }
}

extension Worker {
    /// Brings a place that another session left, on whichever loop, to the one that waits for it here.
    func waker(session: UInt64, slot: Int, line: Line) -> @Sendable () -> Void {
        { [handle] in handle.mailbox.post(.placeFound(session: session, slot: slot, line: line)) }
    }

    func placeFound(session id: UInt64, slot: Int, line: Line) {
        if let session = loop.tenant(slot: slot) as? Session, session.id == id, session.isQueued {
            return session.placeFound(in: line)
        }
        // It has left meanwhile, or has another.
        switch line {
        case .route(let route): lineup.routePlaces[route].leave()
        case .alias(let alias): lineup.aliasPlaces[alias].leave()
        }
    }

    /// The route has no place for the session.
    func refusalOfLimit(_ session: Session) -> Refusal {
        traffic.routes[session.route].refused += 1
        let name = routes.routes[session.route].name
        let waited = session.queueDeadline == 0 ? "" : ", and none ended within queue_timeout"
        warnOfLimit(session, "max_connections is reached\(waited)")
        return Refusal(kind: .limit, message: "\(name): too many sessions\(waited)")
    }

    /// The session's source has as many as it may.
    func refusal(ofSource session: Session, _ reason: SourceLimits.Refusal) -> Refusal {
        traffic.routes[session.route].refused += 1
        let (key, words) =
            switch reason {
            case .tooMany: ("max_connections_per_source", "too many sessions from this address")
            case .tooFast: ("connection_rate_per_source", "too many new sessions a second from this address")
            }
        warnOfLimit(session, "\(key) is reached")
        return Refusal(kind: .limit, message: "\(routes.routes[session.route].name): \(words)")
    }

    private func warnOfLimit(_ session: Session, _ words: String) {
        guard let suppressed = journal.refusals.allow(at: loop.now) else { return }
        log.warning(
            "\(routes.routes[session.route].name): client refused: \(words)",
            metadata: ["client": "\(session.clientName)", "suppressed": "\(suppressed)"])
    }
}
