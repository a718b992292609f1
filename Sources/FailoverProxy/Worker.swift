import FailoverCore
import FailoverSystem
import Logging
import Synchronization

/// Accepts clients and serves sessions on one loop. Other threads control it with messages. Only the loop's thread uses
/// it.
final class Worker {
    let environment: SessionEnvironment
    private let mover: SessionMover
    private let handles: [WorkerHandle]
    private let index: Int

    init(
        index: Int, handles: [WorkerHandle], snapshot: ProxySnapshot, routes: RouteTable, registry: SessionRegistry,
        log: Logger
    ) throws(SystemError) {
        environment = try SessionEnvironment(
            handle: handles[index], snapshot: snapshot, routes: routes, registry: registry, log: log)
        mover = SessionMover(environment)
        self.index = index
        self.handles = handles
        environment.mover = mover
        serve(snapshot)
    }

    var loop: EventLoop { environment.loop }

    /// Serves until it receives `stop`.
    func run() {
        let mailbox = handles[index].mailbox
        loop.run {
            for message in mailbox.takeAll() { receive(message) }
        }
    }

    private func receive(_ message: WorkerMessage) {
        switch message {
        case .routes(let latest): if let table = latest.take() { follow(table) }
        case .snapshot(let snapshot): serve(snapshot)
        case .listen(let listener):
            guard let route = listener.route else { return }
            Listener(worker: self, id: listener.id, socket: Descriptor(owning: listener.socket), route: route).start()
        case .reassign(let changed):
            guard let route = changed.route else { return }
            for listener in listeners where listener.id == changed.id { listener.serve(route: route) }
        case .adopt(let client, let route, let refusal):
            serve(Descriptor(owning: client), route: route, refusal: refusal)
        case .stopAccepting(let ids, let done):
            for listener in listeners where ids?.contains(listener.id) ?? true { listener.stop() }
            done()
        case .closeSessions: closeSessions()
        case .shutDown: mover.depart(.shutdown)
        case .handOver: mover.depart(.handOver)
        case .close(let route, let alias): close(route: route, alias: alias)
        case .placeFound(let session, let slot, let line):
            environment.placeFound(session: session, slot: slot, line: line)
        case .boundaries(let route, let question, let place, let reply):
            mover.answered(question, ofRoute: route, from: place, reply)
        case .report(let askedAt, let answer): answer(trafficReport(askedAt: askedAt))
        case .usedPositions(let answer): answer(usedPositions)
        case .sessions(let query, let answer): answer(sessions(query))
        case .stop: stop()
        }
    }
}

// MARK: - What is served

extension Worker {
    private func serve(_ snapshot: ProxySnapshot) {
        environment.snapshot = snapshot
        mover.serve(snapshot)
        for (index, route) in snapshot.configuration.routes.enumerated() {
            environment.watchPeers(ofRoute: index, route.session)
        }
        environment.limitHandshakes()
        environment.joinBalancers()
    }

    private func follow(_ table: RouteTable) {
        let before = environment.routes
        environment.routes = table
        environment.outages.follow(table, after: before, now: loop.now)
        environment.traffic.follow(table, after: before)
        for (index, (former, alias)) in zip(before.aliases, table.aliases).enumerated() {
            guard former.isSame(as: alias) else {
                environment.needsStatement[index] = nil
                continue
            }
            if former.addresses != alias.addresses { environment.snapshot.deadAddresses.forget(alias.addresses) }
            if alias.isFit, !former.isFit || former.falls != alias.falls { environment.noteReturn(of: index) }
        }
        mover.tableChanged(from: before)
    }
}

// MARK: - Clients

extension Worker {
    private var listeners: [Listener] { loop.everyTenant.compactMap { $0 as? Listener } }

    /// Hands a client that was just accepted and counted to the worker with the fewest sessions.
    ///
    /// - Parameter refusal: the reason for a refusal; `nil` if the client is served.
    func distribute(_ client: consuming Descriptor, route: Int, refusal: Refusal?) {
        if refusal == nil { environment.observer.sessionArrived(route: route) }
        let least = leastLoaded()
        handles[least].load.add(1, ordering: .relaxed)
        if least == index {
            serve(client, route: route, refusal: refusal)
        } else {
            handles[least].mailbox.post(.adopt(client: client.release(), route: route, refusal: refusal))
        }
    }

    private func serve(_ client: consuming Descriptor, route: Int, refusal: Refusal?) {
        Session(environment: environment, route: route, client: client, isServed: refusal == nil)
            .start(refusal: refusal)
    }

    private func leastLoaded() -> Int {
        var least = index
        var load = handles[index].load.load(ordering: .relaxed)
        for other in handles.indices where other != index {
            let othersLoad = handles[other].load.load(ordering: .relaxed)
            if othersLoad < load { (least, load) = (other, othersLoad) }
        }
        return least
    }
}

// MARK: - Closing sessions and stopping

extension Worker {
    /// Closes sessions of the route for the operator: all of them, or those that the alias serves.
    private func close(route: Int, alias: Int?) {
        let name = environment.routes.routes[route].name
        for session in environment.sessions
        where session.route == route && (alias == nil || session.machine.alias == alias) {
            session.end(because: "\(name): closed by the operator")
        }
    }

    /// Ends all sessions at the end of the process, with a closing message where the protocol allows one.
    private func closeSessions() {
        environment.aborts.hurry()
        for session in environment.sessions { session.shutDown() }
    }

    /// Stops the loop when all connections to MySQL servers that are being ended properly have ended.
    private func stop() {
        environment.aborts.hurry()
        environment.aborts.whenAllHaveLeft { [loop] in loop.stop() }
    }
}

// MARK: - Statistics

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
