import FailoverCore

/// Statistics of the loop's sessions. Sessions are counted when they begin and end. Their bytes are added up on
/// request, so relaying needs no work here.
extension Worker {
    /// The statistics, including open sessions.
    func trafficReport(askedAt: UInt64) -> TrafficReport {
        var report = environment.traffic
        for session in environment.sessions {
            report.routes[session.route].add(bytesOf: session)
            if session.movesSince != nil, !session.isLeaving {
                report.routes[session.route].moving += 1
                if boundary(of: session) == .unknown { report.routes[session.route].movingUnreadable += 1 }
            }
            if session.isQueued { report.routes[session.route].queued += 1 }
            guard session.machine.isRelaying, let alias = session.machine.alias else { continue }
            report.routes[session.route].open[alias, default: 0] += 1
        }
        report.lag = [loop.now &- min(askedAt, loop.now)]
        return report
    }

    /// The positions that must not be given to other routes and aliases.
    var usedPositions: RouteTable.Positions {
        environment.sessions.reduce(into: RouteTable.Positions()) { used, session in
            used.routes.insert(session.route)
            used.aliases.formUnion(session.machine.aliases)
        }
    }

    /// This loop's sessions, lowest numbers first.
    func sessions(_ query: SessionQuery) -> [SessionReport] {
        let wanted = environment.sessions
            .filter { $0.id > query.after && (query.route == nil || $0.route == query.route) }
        return wanted.sorted { $0.id < $1.id }.prefix(query.limit).map { session in
            SessionReport(
                id: session.id, route: session.route, alias: session.machine.alias, client: session.clientName,
                age: .nanoseconds(loop.now &- session.startedAt), idle: .nanoseconds(loop.now &- session.lastActivity),
                fromClient: session.toBackend.received, fromBackend: session.toClient.received,
                boundary: boundary(of: session))
        }
    }

    private func boundary(of session: Session) -> SessionBoundary {
        if session.stream.isReadable { return session.stream.isAtBoundary ? .yes : .no }
        return environment.mover?.isAttested(session) == true ? .attested : .unknown
    }
}

extension TrafficReport.OfRoute {
    mutating func add(bytesOf session: Session) {
        fromClients &+= session.toBackend.received
        fromBackends &+= session.toClient.received
    }
}
