import FailoverCore
import Logging

/// The connection slots of the `max_connections` of the session's route and alias.
extension Session {
    /// Takes one of the route's connection slots, or waits for one.
    ///
    /// - Returns: whether the session holds a slot.
    func takeRoutePlace() -> Bool {
        if holdsRoutePlace { return true }
        switch environment.snapshot.routeConnectionLimits[route].take(orWait: waiter(for: .route(route))) {
        case .taken:
            holdsRoutePlace = true
            return true
        case .waits: awaitPlace()
        case .full: refuse(environment.refusalOfLimit(self))
        }
        return false
    }

    /// Takes one of the alias's connection slots, unless the session holds one already.
    func takePlace() -> Bool {
        guard placeOnAlias == nil, let alias = machine.alias else { return true }
        guard environment.snapshot.aliasConnectionLimits[alias].take() else { return false }
        placeOnAlias = alias
        return true
    }

    /// Waits for a connection slot of one of the aliases, if they all failed because they had no free slot.
    ///
    /// - Returns: whether the session waits.
    func waitsForAlias(_ attempts: [SessionStateMachine.Attempt]) -> Bool {
        guard settings.queueTimeout != nil, holdsRoutePlace, !attempts.isEmpty,
            attempts.allSatisfy({ $0.failure == .full })
        else { return false }
        for alias in Set(attempts.map(\.alias)) where !isClosed {
            switch environment.snapshot.aliasConnectionLimits[alias].take(orWait: waiter(for: .alias(alias))) {
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

    /// The session has been given a slot that it waited for.
    func placeFound(in line: Line) {
        leaveLines()
        switch line {
        case .route: holdsRoutePlace = true
        case .alias(let index): placeOnAlias = index
        }
        // Other aliases may be up by now.
        advance(machine.placeFound(onAlias: placeOnAlias, currentCandidates(), now: loop.now))
        if !isClosed, !isLeaving { readClientInHandshake() }
    }

    /// No slot became free in time.
    func queueIsLate() {
        leaveLines()
        environment.traffic.routes[route].queueTimeouts += 1
        refuse(environment.refusalOfLimit(self))
    }

    /// Leaves all queues.
    func leaveLines() {
        guard isQueued else { return }
        isQueued = false
        environment.snapshot.routeConnectionLimits[route].forget(id)
        for attempt in machine.attempts where attempt.failure == .full {
            environment.snapshot.aliasConnectionLimits[attempt.alias].forget(id)
        }
    }

    private func awaitPlace() {
        guard !isQueued else { return }
        isQueued = true
        if queueDeadline == 0 { queueDeadline = loop.now &+ (settings.queueTimeout ?? .zero).nanoseconds }
        loop.setDeadline(queueDeadline, slot: slot)
    }

    private func waiter(for line: Line) -> ConnectionLimit.Waiter? {
        guard settings.queueTimeout != nil else { return nil }
        return ConnectionLimit.Waiter(session: id, wake: environment.waker(session: id, slot: slot, line: line))
    }
}

// MARK: - The last resort

extension Session {
    /// The aliases that are down but are tried before the client is refused. Each session tries them once, and only a
    /// limited number of sessions at the same time.
    func lastResort(_ attempts: [SessionStateMachine.Attempt]) -> [RouteTable.Candidate]? {
        // A route that is full by its own limits is healthy.
        let isFull = !attempts.isEmpty && attempts.allSatisfy { $0.failure == .full }
        guard !machine.isLastResort, !isFull else { return nil }
        let aliases = environment.lastResort(ofRoute: route)
        guard !aliases.isEmpty, environment.snapshot.lastResortLimits[route].take() else { return nil }
        hasLastResortPlace = true
        machine.readOnlyGuard = environment.readOnlyGuard(ofRoute: route)
        return aliases
    }

    func leaveLastResort() {
        if hasLastResortPlace { environment.snapshot.lastResortLimits[route].leave() }
        hasLastResortPlace = false
    }
}

// MARK: - Releasing slots

extension Session {
    /// Refuses the client. The session holds no slot while the client reads the refusal.
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

    /// Releases the slots of the route, the alias and the source.
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
        if holdsRoutePlace { environment.snapshot.routeConnectionLimits[route].leave() }
        holdsRoutePlace = false
    }

    /// Removes the session from the counts of its source.
    ///
    /// - Parameter isForgotten: whether the session no longer counts against the connection rate either.
    func leaveSource(isForgotten: Bool = false) {
        guard sourceNumber != 0 else { return }
        environment.snapshot.sources[route].leave(SourceKey(number: sourceNumber), isForgotten: isForgotten)
        sourceNumber = 0
    }

    private func leavePlaceOnAlias() {
        if let alias = placeOnAlias { environment.snapshot.aliasConnectionLimits[alias].leave() }
        placeOnAlias = nil
    }

    /// Counts the session against the limits of its source.
    ///
    /// - Returns: the refusal if a limit is reached; otherwise `nil`.
    func enterSource() -> Refusal? {
        let limits = environment.configuration.routes[route].sourceLimit
        guard limits != SourceLimit(), let key = SourceKey(source) else { return nil }
        if let refusal = environment.snapshot.sources[route].enter(key, now: loop.now) {
            return environment.refusal(ofSource: self, refusal)
        }
        sourceNumber = key.number
        return nil
    }
}
