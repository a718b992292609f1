import FailoverCore
import FailoverSystem
import Logging
import Synchronization

/// What other threads may ask of a worker.
enum WorkerMessage: Sendable {
    /// Route by this table from now on.
    case routes(RouteTable)
    /// Accept clients of the route; the worker owns the socket.
    case listen(socket: Int32, route: Int)
    /// Serve a client that another worker accepted, already counted; the worker owns the socket.
    case adopt(client: Int32, route: Int)
    /// Take the clients that wait in the listeners' queues, then close the listeners and call back.
    case stopAccepting(@Sendable () -> Void)
    case closeSessions
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
    let loop: EventLoop
    let configuration: ProxyConfiguration
    let log: Logger
    let registry: SessionRegistry
    private(set) var routes: RouteTable
    private let handles: [WorkerHandle]
    private let index: Int
    private let observer: any ProxyObserver
    private var refusals = LogThrottle()

    init(
        index: Int, handles: [WorkerHandle], configuration: ProxyConfiguration, routes: RouteTable,
        registry: SessionRegistry, observer: any ProxyObserver, log: Logger
    ) throws(SystemError) {
        loop = try EventLoop(mailbox: handles[index].mailbox.descriptor)
        self.index = index
        self.handles = handles
        self.configuration = configuration
        self.routes = routes
        self.registry = registry
        self.observer = observer
        self.log = log
    }

    /// Serves until it is told to stop.
    func run() {
        let mailbox = handles[index].mailbox
        loop.run {
            for message in mailbox.takeAll() { receive(message) }
        }
    }

    private func receive(_ message: WorkerMessage) {
        switch message {
        case .routes(let table): routes = table
        case .listen(let socket, let route):
            Listener(worker: self, socket: Descriptor(owning: socket), route: route).start()
        case .adopt(let client, let route): serve(Descriptor(owning: client), route: route)
        case .stopAccepting(let done):
            for case let listener as Listener in loop.everyTenant { listener.stop() }
            done()
        case .closeSessions:
            for case let session as Session in loop.everyTenant { session.close(because: "shutting down") }
        case .stop: loop.stop()
        }
    }

    /// Hands a client that was just accepted and counted to the worker with the fewest sessions.
    func distribute(_ client: consuming Descriptor, route: Int) {
        observer.sessionArrived(route: route)
        let least = leastLoaded()
        handles[least].load.add(1, ordering: .relaxed)
        if least == index {
            serve(client, route: route)
        } else {
            handles[least].mailbox.post(.adopt(client: client.release(), route: route))
        }
    }

    /// A session of this worker has closed.
    func sessionEnded(_ session: Session) {
        handles[index].load.subtract(1, ordering: .relaxed)
        registry.release(route: session.route)
    }

    private func serve(_ client: consuming Descriptor, route: Int) {
        Session(worker: self, route: route, client: client).start()
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

// MARK: - What sessions saw

extension Worker {
    /// No address of an alias could be connected to.
    func noteFailure(_ attempt: SessionStateMachine.Attempt, route: Int) {
        log.debug("no connection", metadata: metadata(route: route, alias: attempt.alias, detail: "\(attempt.failure)"))
        guard let kind = attempt.failure.kind else { return }
        report(kind, alias: attempt.alias, route: route, detail: "\(attempt.failure)")
    }

    /// The backend of an established session failed.
    func noteFailure(_ kind: BackendErrorKind, session: Session, code: Int32) {
        guard let alias = session.machine.alias else { return }
        report(kind, alias: alias, route: session.route, detail: code == 0 ? "closed" : SystemError(code).words)
    }

    /// A client could not be served by any alias.
    func noteRefusal(route: Int, attempts: [SessionStateMachine.Attempt]) {
        guard let suppressed = refusals.allow(at: loop.now) else { return }
        let tried = attempts.map { "\(routes.aliases[$0.alias].name): \($0.failure)" }
        let down = routes.routes[route].aliases.compactMap { alias in
            routes.aliases[alias].outage.map { "\(routes.aliases[alias].name): \($0)" }
        }
        log.warning(
            "\(routes.routes[route].name): client refused, no alias could serve it",
            metadata: [
                "aliases": "\((down + tried).joined(separator: "; "))", "suppressed": "\(suppressed)",
            ])
    }

    func metadata(of session: Session) -> Logger.Metadata {
        [
            "route": "\(routes.routes[session.route].name)",
            "alias": "\(session.machine.alias.map { routes.aliases[$0].name } ?? "-")",
            "bytes_in": "\(session.toBackend.received)",
            "bytes_out": "\(session.toClient.received)",
        ]
    }

    private func report(_ kind: BackendErrorKind, alias: Int, route: Int, detail: String) {
        let state = routes.aliases[alias]
        observer.backendFailed(
            BackendFailure(kind: kind, alias: alias, detail: "\(state.endpoint): \(detail)"), route: route)
    }

    private func metadata(route: Int, alias: Int, detail: String) -> Logger.Metadata {
        ["route": "\(routes.routes[route].name)", "alias": "\(routes.aliases[alias].name)", "detail": "\(detail)"]
    }
}
