import FailoverCore

/// Why a worker lets all its sessions go.
enum Departure {
    /// Another process takes new clients.
    case handOver
    /// The process is about to end.
    case shutdown
}

/// What a new route table means for sessions that are open.
extension Worker {
    func follow(_ table: RouteTable) {
        let before = routes
        routes = table
        outages.follow(table, now: loop.now)
        for (former, alias) in zip(before.aliases, table.aliases) where former.addresses != alias.addresses {
            lineup.deadAddresses.forget(alias.addresses)
        }
        traffic.grow(routes: table.routes.count, aliases: table.aliases.count)
        let fallen = before.aliases.indices.filter {
            before.aliases[$0].failure == nil && table.aliases[$0].failure != nil
        }
        let risen = before.aliases.indices.filter {
            before.aliases[$0].failure != nil && table.aliases[$0].failure == nil
        }
        for alias in before.aliases.indices where !before.aliases[alias].isFit && table.aliases[alias].isFit {
            noteReturn(of: alias)
        }
        let drained = before.aliases.indices.contains { before.aliases[$0].isLeaving != table.aliases[$0].isLeaving }
        let hasNewChoice = before.routes.indices.contains { before.choice(ofRoute: $0) != table.choice(ofRoute: $0) }
        let isChanged = drained || hasNewChoice || before.routes != table.routes
        let hasMoved = before.aliases.indices.contains { before.aliases[$0].moves != table.aliases[$0].moves }
        guard !fallen.isEmpty || !risen.isEmpty || isChanged || hasMoved else { return }
        for case let session as Session in loop.everyTenant {
            session.chooseAgain()
            guard let alias = session.machine.alias else { continue }
            if fallen.contains(alias) {
                session.aliasIsDown(words(for: session.route, alias: alias))
            } else if table.aliases[alias].moves != session.movesOfAlias, session.backend != nil {
                session.aliasIsDown(
                    "\(table.routes[session.route].name): \(table.aliases[alias].name) is another server now")
            } else if session.machine.isRelaying {
                // Whoever gave way to others because an alias was full would meet them again, until it has come back.
                let ofItsRoute = table.routes[session.route].aliases
                considerMoving(session, evenIfItGaveWay: risen.contains(where: ofItsRoute.contains))
            }
        }
    }

    /// Lets each session go, once it stands where that is safe.
    func depart(_ departure: Departure) {
        guard self.departure == nil else { return }
        self.departure = departure
        // Others follow once they are served.
        for case let session as Session in loop.everyTenant where session.machine.isRelaying { moveWhenSafe(session) }
    }

    func moveWhenSafe(_ session: Session) {
        guard session.movesSince == nil else { return }
        session.movesSince = loop.now
        drains[session.route].add(session.slot)
    }

    /// Whether a better alias than the session's waits for it, and what follows.
    func considerMoving(_ session: Session, evenIfItGaveWay: Bool = false) {
        // Its client could not come again.
        guard !routes.routes[session.route].isRetired, departure == nil else { return }
        let mustLeave = mustLeave(session)
        let better = mustLeave || isBetterThanItsOwn(session)
        guard better, mustLeave || evenIfItGaveWay || !session.machine.gaveWay else {
            session.movesSince = nil
            return
        }
        switch session.settings.onRecovery {
        case .keep where !mustLeave: return
        case .close: move(session)
        case .drain, .keep:
            moveWhenSafe(session)
        }
    }

    /// Whether the session's alias is to have none; not while there is nowhere to go.
    private func mustLeave(_ session: Session) -> Bool {
        guard let alias = session.machine.alias, routes.choice(ofRoute: session.route) != nil else { return false }
        return routes.aliases[alias].isLeaving || !routes.routes[session.route].aliases.contains(alias)
    }

    /// Moves the session if it stands at a boundary and the pace allows it.
    ///
    /// - Returns: whether it was moved.
    func moveIfPossible(_ session: Session) -> Bool {
        guard session.canMove, drains[session.route].pace.take(at: loop.now) else { return false }
        move(session)
        return true
    }

    /// Ends the session, so that its client comes again and gets the better alias.
    func move(_ session: Session) {
        let name = routes.routes[session.route].name
        if departure == .shutdown {
            return session.end(because: wordsOfShutdown(route: session.route), as: .shutdown)
        }
        traffic.routes[session.route].moved += 1
        let choice = routes.choice(ofRoute: session.route)
        if departure == .handOver { return session.end(because: "\(name) is served by a new process") }
        session.end(
            because: choice.map(routes.routes[session.route].own.contains) == true
                ? "\(name) is back on its own server" : "\(name) moves to another server")
    }

    /// Where servers are that may run what a cancel request names, for a client of this route or another.
    func addressesToCancel(_ key: CancelKey, ofRoute route: Int) -> [SocketAddress] {
        routes.aliases.indices.filter { alias in
            let mayServe = routes.routes[route].aliases.contains(alias) || routes.aliases[alias].isRetired
            return mayServe && (configuration.hasPredecessor || registry.cancelKeys.mayHold(key, alias: alias))
        }.flatMap { routes.aliases[$0].addresses }
    }

    func wordsOfShutdown(route: Int) -> String { "\(routes.routes[route].name): the proxy shuts down" }

    private func isBetterThanItsOwn(_ session: Session) -> Bool {
        guard let choice = routes.choice(ofRoute: session.route), let alias = session.machine.alias else {
            return false
        }
        return routes.prefers(choice, to: alias, onRoute: session.route)
    }

    private func words(for route: Int, alias: Int) -> String {
        let reason = routes.aliases[alias].failure.map { ": \($0.reason)" } ?? ""
        return "\(routes.routes[route].name): \(routes.aliases[alias].name) is down\(reason)"
    }
}

extension RouteTable {
    /// The alias that a new session gets first because it is well: up, takes sessions, and not suspect.
    func choice(ofRoute route: Int) -> Int? {
        guard let first = candidates(ofRoute: route).first?.alias, !aliases[first].isSuspect,
            !aliases[first].refusesSessions
        else { return nil }
        return first
    }
}
