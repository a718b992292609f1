import FailoverCore
import FailoverSystem
import Logging
import Synchronization

/// What other threads may ask of a worker.
enum WorkerMessage: Sendable {
    /// Route by this table from now on.
    case routes(RouteTable)
    /// Serve this from now on.
    case lineup(Lineup)
    /// Accept clients at the listener; the worker owns its socket.
    case listen(OpenListener)
    /// The listener is another route's from now on.
    case reassign(OpenListener)
    /// Serve a client that another worker accepted, already counted; the worker owns the socket.
    case adopt(client: Int32, route: Int, refusal: Refusal?)
    /// Take the clients that wait in the listeners' queues, then close the listeners and call back: those with these
    /// identifiers, or all.
    case stopAccepting(Set<Int>? = nil, @Sendable () -> Void)
    /// Let sessions go where it is safe: the process is about to end.
    case shutDown
    case closeSessions
    /// Another process takes new clients; let sessions move there where it is safe.
    case handOver
    /// Close the sessions of the route, or those of it that the alias serves.
    case close(route: Int, alias: Int?)
    /// The session has the place that it waited for, if it still does.
    case placeFound(session: UInt64, slot: Int, line: Line)
    /// Say what the sessions have done; asked at that time of the loops' clock.
    case report(askedAt: UInt64, @Sendable (TrafficReport) -> Void)
    /// Say which sessions are open.
    case sessions(SessionQuery, @Sendable ([SessionReport]) -> Void)
    case stop
}

/// How other threads reach a worker.
final class WorkerHandle: Sendable {
    let mailbox: Mailbox<WorkerMessage>
    /// Sessions that the worker serves or is about to.
    let load = Atomic<Int>(0)

    init() throws(SystemError) { mailbox = try Mailbox() }
}

/// Serves sessions on one loop. Confined to the loop's thread.
final class Worker {
    enum Ending {
        /// Sessions are closed.
        case soon
        /// So ends the loop.
        case whenAllHaveLeft
    }

    let loop: EventLoop
    let log: Logger
    let registry: SessionRegistry
    private(set) var lineup: Lineup
    /// Why no session is to stay, if so.
    var departure: Departure?
    var routes: RouteTable
    var outages: Outages
    /// Moves sessions back, by route.
    private(set) var drains: [Drain] = []
    /// Watches peers that owe acknowledgements, by route.
    private(set) var watches: [PeerWatch] = []
    let memoryQueue: MemoryQueue
    /// MySQL servers that are being left.
    var departures = 0
    /// PostgreSQL aliases that need a statement to keep a session from writing, and until when that is remembered.
    var needsStatement: [Int: UInt64] = [:]
    /// How the process ends; `nil` while it does not.
    var isEnding: Ending?
    var journal = Journal()
    /// Of sessions that have ended, and what else is counted one by one.
    var traffic: TrafficReport
    private let handles: [WorkerHandle]
    private let index: Int

    init(
        index: Int, handles: [WorkerHandle], lineup: Lineup, routes: RouteTable, registry: SessionRegistry,
        log: Logger
    ) throws(SystemError) {
        loop = try EventLoop(mailbox: handles[index].mailbox.descriptor, buffers: registry.buffers)
        memoryQueue = MemoryQueue(loop: loop)
        self.index = index
        self.handles = handles
        self.lineup = lineup
        self.routes = routes
        outages = Outages(routes, now: loop.now)
        traffic = TrafficReport(routes)
        self.registry = registry
        self.log = log
        serve(lineup)
    }

    var configuration: ProxyConfiguration { lineup.configuration }
    /// How other threads reach it.
    var handle: WorkerHandle { handles[index] }
    var observer: any ProxyObserver { lineup.observer }

    /// Serves until it is told to stop.
    func run() {
        let mailbox = handles[index].mailbox
        loop.run {
            for message in mailbox.takeAll() { receive(message) }
        }
    }

    private func receive(_ message: WorkerMessage) {
        switch message {
        case .routes(let table): follow(table)
        case .lineup(let lineup): serve(lineup)
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
        case .closeSessions:
            closeSessions()
        case .shutDown: depart(.shutdown)
        case .handOver: depart(.handOver)
        case .close(let route, let alias):
            for case let session as Session in loop.everyTenant
            where session.route == route && (alias == nil || session.machine.alias == alias) {
                session.end(because: "\(routes.routes[route].name): closed by the operator")
            }
        case .placeFound(let session, let slot, let line): placeFound(session: session, slot: slot, line: line)
        case .report(let askedAt, let answer): answer(trafficReport(askedAt: askedAt))
        case .sessions(let query, let answer): answer(sessions(query))
        case .stop: stop()
        }
    }

    private var listeners: [Listener] { loop.everyTenant.compactMap { $0 as? Listener } }

    private func serve(_ lineup: Lineup) {
        self.lineup = lineup
        for (index, (route, pace)) in zip(lineup.configuration.routes, lineup.paces).enumerated() {
            if index == drains.count { drains.append(Drain(loop: loop, settings: route.session, pace: pace)) }
            drains[index].settings = route.session
            drains[index].pace = pace
            if index == watches.count { watches.append(PeerWatch(loop: loop, settings: route.session)) }
            watchPeers(ofRoute: index, route.session)
        }
        joinBalancers()
    }

    /// Hands a client that was just accepted and counted to the worker with the fewest sessions.
    ///
    /// - Parameter refusal: why it must not be served, if so.
    func distribute(_ client: consuming Descriptor, route: Int, refusal: Refusal?) {
        if refusal == nil { observer.sessionArrived(route: route) }
        let least = leastLoaded()
        handles[least].load.add(1, ordering: .relaxed)
        if least == index {
            serve(client, route: route, refusal: refusal)
        } else {
            handles[least].mailbox.post(.adopt(client: client.release(), route: route, refusal: refusal))
        }
    }

    /// A session of this worker has closed.
    func sessionEnded(_ session: Session) {
        handles[index].load.subtract(1, ordering: .relaxed)
        traffic.routes[session.route].add(bytesOf: session)
        registry.noteClosed()
    }

    private func serve(_ client: consuming Descriptor, route: Int, refusal: Refusal?) {
        Session(worker: self, route: route, client: client, isServed: refusal == nil).start(refusal: refusal)
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
