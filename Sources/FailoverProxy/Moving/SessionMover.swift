import FailoverCore

/// The reason why a loop closes all its sessions.
enum Departure {
    /// Another process accepts new clients.
    case handOver
    /// The process is about to end.
    case shutdown
}

/// Decides which of a loop's sessions must move, and moves them at the pace of their route.
final class SessionMover: SessionMoving {
    let environment: SessionEnvironment
    /// The reason why all sessions must leave; `nil` in normal operation.
    private(set) var departure: Departure?
    /// The drains, by route.
    private var drains: [Drain] = []

    init(_ environment: SessionEnvironment) { self.environment = environment }

    private var routes: RouteTable { environment.routes }
    private var now: UInt64 { environment.loop.now }

    /// Uses these settings from now on.
    func serve(_ snapshot: ProxySnapshot) {
        for (index, (route, pace)) in zip(snapshot.configuration.routes, snapshot.paces).enumerated() {
            if index == drains.count {
                drains.append(Drain(mover: self, route: index, settings: route.session, pace: pace))
            }
            drains[index].settings = route.session
            drains[index].pace = pace
        }
    }

    /// Closes each session once it is at a safe point.
    func depart(_ departure: Departure) {
        guard self.departure == nil else { return }
        self.departure = departure
        // Sessions that no backend serves yet follow in `served(_:)`.
        for session in environment.sessions where session.machine.isRelaying { moveWhenSafe(session) }
    }

    func served(_ session: Session) {
        if departure != nil { moveWhenSafe(session) }
        guard session.machine.attempts.isEmpty, let alias = session.machine.alias,
            alias != routes.order(ofRoute: session.route).first
        else { return }
        consider(session)
    }

    func moveBusy(_ session: Session) -> Bool { drains[session.route].moveBusy(session) }

    func isAttested(_ session: Session) -> Bool { drains[session.route].isAttested(session) }

    /// Takes a server's answer to the question of a route's drain.
    func answered(
        _ question: UInt64, ofRoute route: Int, from place: BoundaryQuestions.Place, _ reply: BoundaryReply
    ) {
        guard drains.indices.contains(route) else { return }
        drains[route].answered(question, from: place, reply)
    }

    /// Ends the session, so that its client reconnects and gets the better alias.
    func move(_ session: Session) {
        let name = routes.routes[session.route].name
        if departure == .shutdown {
            return session.end(because: "\(name): the proxy shuts down", as: .shutdown, isMove: true)
        }
        environment.traffic.routes[session.route].moved += 1
        if isAttested(session) { environment.traffic.routes[session.route].attested += 1 }
        let choice = routes.choice(ofRoute: session.route)
        if departure == .handOver { return session.end(because: "\(name) is served by a new process", isMove: true) }
        session.end(
            because: choice.map(routes.routes[session.route].preferred.contains) == true
                ? "\(name) is back on a preferred server" : "\(name) moves to another server", isMove: true)
    }

    private func moveWhenSafe(_ session: Session) {
        guard session.movesSince == nil else { return }
        session.movesSince = now
        drains[session.route].add(session)
    }
}

// MARK: - What a new route table means for sessions that are open

extension SessionMover {
    /// The table has replaced `before`.
    func tableChanged(from before: RouteTable) {
        let table = routes
        let aliases = zip(before.aliases, table.aliases).enumerated().map { (index: $0, before: $1.0, now: $1.1) }
        // A loop receives only the latest table: an alias may have gone down and come back in between.
        let fallen = Set(aliases.filter { $0.before.falls != $0.now.falls }.map(\.index))
        let risen = Set(
            aliases.filter {
                $0.now.failure == nil && ($0.before.failure != nil || $0.before.falls != $0.now.falls)
            }.map(\.index))
        let isDrained = aliases.contains { $0.before.isLeaving != $0.now.isLeaving }
        let hasMoved = aliases.contains { $0.before.moves != $0.now.moves }
        let hasNewChoice = before.routes.indices.contains { before.choice(ofRoute: $0) != table.choice(ofRoute: $0) }
        let isChanged = isDrained || hasMoved || hasNewChoice || before.routes != table.routes
        guard isChanged || !fallen.isEmpty || !risen.isEmpty else { return }
        for session in environment.sessions {
            session.chooseAgain()
            guard let alias = session.machine.alias else { continue }
            let name = table.routes[session.route].name
            if fallen.contains(alias) {
                let reason = table.aliases[alias].failure.map { ": \($0.reason)" } ?? ""
                session.aliasIsDown("\(name): \(table.aliases[alias].name) is down\(reason)")
                // `on_outage: keep` has kept the session, and its alias is up again.
                guard risen.contains(alias), session.machine.isRelaying, !session.isLeaving, !session.isClosed else {
                    continue
                }
                consider(session)
            } else if table.aliases[alias].moves != session.movesOfAlias, session.backend != nil {
                session.aliasIsDown("\(name): \(table.aliases[alias].name) now points to another server")
            } else if session.machine.isRelaying {
                // A session that overflowed from a full alias would find that alias full again. So it moves back only
                // when an alias of the route has come up.
                let isNear = !risen.isDisjoint(with: table.routes[session.route].aliases)
                consider(session, evenIfItOverflowed: isNear)
            }
        }
    }

    /// Checks whether a better alias is available for the session, and acts on it.
    private func consider(_ session: Session, evenIfItOverflowed: Bool = false) {
        // The client could not reconnect to a retired route.
        guard !routes.routes[session.route].isRetired, departure == nil else { return }
        let mustLeave = mustLeave(session)
        let better = mustLeave || isBetterThanItsOwn(session)
        guard better, mustLeave || evenIfItOverflowed || !session.machine.overflowed else {
            session.movesSince = nil
            return
        }
        switch session.settings.onRecovery {
        case .keep where !mustLeave: session.movesSince = nil
        case .close: move(session)
        case .drain, .keep: moveWhenSafe(session)
        }
    }

    /// Whether the session must leave its alias; false while no other alias is available.
    private func mustLeave(_ session: Session) -> Bool {
        guard let alias = session.machine.alias, routes.choice(ofRoute: session.route) != nil else { return false }
        return routes.aliases[alias].isLeaving || !routes.routes[session.route].aliases.contains(alias)
    }

    private func isBetterThanItsOwn(_ session: Session) -> Bool {
        guard let choice = routes.choice(ofRoute: session.route), let alias = session.machine.alias else {
            return false
        }
        return routes.prefers(choice, to: alias, onRoute: session.route)
    }
}
