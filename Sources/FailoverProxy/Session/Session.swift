import FailoverCore
import FailoverSystem
import Glibc
import Logging

/// One client connection together with its backend connection. Performs what its state machine decides.
///
/// Owns no buffer while it is idle: bytes go from socket to socket through the loop's.
final class Session: Pollable {
    unowned let worker: Worker
    /// The worker's; the way of each byte, so not asked for through it.
    let loop: EventLoop
    /// Tells it from others of this process.
    let id: UInt64
    let route: Int
    let client: Descriptor
    let startedAt: UInt64
    // Touched at each message and by the loop's thread alone: the runtime's check that two accesses do not overlap
    // would cost more than all else that happens to the message here.
    @exclusivity(unchecked) var backend: Descriptor?
    @exclusivity(unchecked) var machine: SessionStateMachine
    @exclusivity(unchecked) var toBackend = Flow()
    @exclusivity(unchecked) var toClient = Flow()
    @exclusivity(unchecked) var stream = SessionStream.opaque
    @exclusivity(unchecked) var lastActivity: UInt64
    private(set) var slot = -1
    /// When what is waited for before the session is served must have happened; likewise once its client was told the
    /// end.
    var openingDeadline: UInt64 = 0
    /// What cancels its queries.
    var key = SessionKey.absent
    /// When it must have a place, over all that it waits for; 0 if it did not have to wait.
    var queueDeadline: UInt64 = 0
    /// The ``SourceKey`` that it counts against; 0 is none.
    var sourceNumber: UInt64 = 0
    /// What a MySQL server that waits for a login has heard of it.
    @exclusivity(unchecked) var login: PendingLogin?
    /// What it counts as where several aliases serve side by side.
    var share: BalanceShare?
    /// Whom the client's balancer names, where one stands before the proxy.
    var announcedSource: SocketAddress?

    // The small ones stand together, behind what leaves room: each between wide ones would cost as much as those, in every
    // session.

    /// Since when a better alias waits for the session.
    var movesSince: UInt64?
    /// Whether the latest bytes were the client's.
    @exclusivity(unchecked) var clientSpokeLast = false
    /// Whether the next bytes bring it to the route's ``PeerWatch``.
    @exclusivity(unchecked) var isToBeWatched = false
    /// Whether the server is still to tell the key that cancels its queries.
    @exclusivity(unchecked) var awaitsKey = false
    @exclusivity(unchecked) private(set) var isClosed = false
    /// The client has been told the end; what it still says is thrown away.
    var isLeaving = false
    /// Whether it waits for memory that others hold.
    var waitsForMemory = false
    /// Whether it counts against the route's `max_connections`.
    var holdsRoutePlace = false
    /// The alias whose `max_connections` this session counts against.
    var placeOnAlias: Int?
    /// Whether it waits for a place.
    var isQueued = false
    /// Whether the kernel watches over the backend for us.
    var watchesBackend = false
    /// Whether it is one of the few that may try aliases that are down.
    var hasLastResortPlace = false
    /// Whether the client's balancer is still to say who the client is.
    private var awaitsHeader: Bool
    /// What the client's socket was ready for before a backend served it.
    var waiting = Readiness()
    /// Bytes that it holds of the process's budget.
    var heldBytes: Int32 = 0
    /// How often the alias had become another server when the session was dialed.
    var movesOfAlias: UInt32 = 0

    /// A session for a client that was accepted and counted.
    ///
    /// - Parameter isServed: whether it is to have a backend.
    init(worker: Worker, route: Int, client: consuming Descriptor, isServed: Bool) {
        self.worker = worker
        loop = worker.loop
        self.route = route
        self.client = client
        id = worker.registry.nextNumber()
        startedAt = worker.loop.now
        lastActivity = worker.loop.now
        let settings = worker.configuration.routes[route].session
        awaitsHeader = settings.acceptProxy
        let candidates: [RouteTable.Candidate]
        (candidates, share) = isServed ? worker.candidates(ofRoute: route) : ([], nil)
        machine = SessionStateMachine(
            opening: Opening(worker.configuration.routes[route].engine), candidates: candidates,
            limits: settings.openingLimits, lastAnswerLimits: worker.lineup.lastAnswerLimits,
            readOnlyGuard: settings.failoverReadOnly
                ? ReadOnlyGuard(
                    worker.routes, route: route, opaque: settings.readOnlyOpaque,
                    byStatement: worker.aliasesByStatement()) : nil)
    }

    var settings: SessionSettings { worker.configuration.routes[route].session }

    /// Begins.
    ///
    /// - Parameter refusal: why the client must not be served, if so.
    func start(refusal: Refusal?) {
        slot = loop.admit(self)
        do {
            try loop.watch(client.raw, .session, slot: slot, side: .client)
        } catch {
            return close(because: "\(error)")
        }
        if let refusal { return advance(machine.startRefused(refusal, now: loop.now)) }
        if awaitsHeader {
            loop.setDeadline(loop.now &+ settings.openingLimits.clientStartup, slot: slot)
        } else {
            begin()
        }
    }

    /// It is known where the client is.
    private func begin() {
        if let refusal = enterSource() {
            advance(machine.startRefused(refusal, now: loop.now))
        } else {
            advance(machine.start(now: loop.now))
        }
    }

    func ready(_ readiness: Readiness, side: Side) {
        guard machine.isRelaying, !isLeaving else { return readyBeforeRelay(readiness, side: side) }
        if readiness.contains(.writable) { flush(to: side) }
        guard !isClosed, !isLeaving else { return }
        let ended = !readiness.isDisjoint(with: .peerEnded)
        if side == .backend, toClient.sourceEnded, !readiness.isDisjoint(with: .broken) {
            return endAfterBackend(because: "the server takes no more")
        }
        if ended || readiness.contains(.readable) { relay(from: side, untilEnd: ended) }
    }

    func resume() {
        if isLeaving { return discardClient() }
        guard machine.isRelaying else { return }
        relay(from: .client, untilEnd: true)
        if !isClosed, !isLeaving { relay(from: .backend, untilEnd: true) }
    }

    func deadlinePassed() {
        if isLeaving { return close(because: "the client was told the end") }
        if awaitsHeader { return close(because: "no PROXY header came in time") }
        guard machine.isRelaying else { return openingIsLate() }
        if guardIsLate() { return }
        if let login, login.deadline <= loop.now { return close(because: "no login in time") }
        watchPeers()
        guard !isClosed, !isLeaving else { return }
        if let login { return loop.setDeadline(login.deadline, slot: slot) }
        closeIfIdle()
    }

    /// Ends the session and gives back what it held.
    func close(because reason: @autoclosure () -> String) {
        guard !isClosed else { return }
        isClosed = true
        worker.log.debug("session closed: \(reason())", metadata: worker.metadata(of: self))
        loop.dismiss(slot: slot)
        leaveBackend()
        leavePlace()
        (toBackend.pending, toClient.pending) = (PendingBytes(), PendingBytes())
        countHeldBytes()
        worker.sessionEnded(self)
    }

    private func readyBeforeRelay(_ readiness: Readiness, side: Side) {
        if isLeaving {
            if side == .client { discardClient() }
        } else if awaitsHeader {
            readHeader(readiness)
        } else {
            readyWhileOpening(readiness, side: side)
        }
    }

    private func readHeader(_ readiness: Readiness) {
        waiting.formUnion(readiness)
        switch client.receiveProxyHeader() {
        case .incomplete where readiness.isDisjoint(with: .peerEnded): return
        case .incomplete, .garbage: close(because: "no PROXY header")
        case .header(let source, _, _):
            announcedSource = source
            awaitsHeader = false
            begin()
            readClientWhileOpening()
        }
    }
}

extension Opening {
    init(_ engine: DatabaseServer.Engine) {
        self =
            switch engine {
            case .postgres: .postgres(PostgresOpening())
            case .mysql: .mysql(MySQLOpening())
            case .tcp: .tcp
            }
    }
}
