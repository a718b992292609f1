import FailoverCore
import FailoverSystem
import Glibc
import Logging

/// One client connection and its backend connection. The session performs the decisions of its state machine.
///
/// An idle session owns no buffer: bytes pass from socket to socket through the loop's buffer.
final class Session: Pollable {
    unowned let environment: SessionEnvironment
    /// The environment's loop, stored here because every message uses it.
    let loop: EventLoop
    /// Unique in this process.
    let id: UInt64
    let route: Int
    let client: Descriptor
    let startedAt: UInt64
    // The runtime's exclusivity check would cost more than all other work per message.
    @exclusivity(unchecked) fileprivate var hot: HotFields
    // These small properties fill a gap; see below.

    /// The alias's count of server changes when the session was dialed.
    var movesOfAlias: UInt32 = 0
    /// Whether it waits for buffer memory that other sessions use.
    var waitsForMemory = false
    /// Whether it counts against the route's `max_connections`.
    var holdsRoutePlace = false
    private(set) var slot = -1
    /// The deadline of the current handshake step. After the closing message, it is the time until which the client may
    /// read it.
    var handshakeDeadline: UInt64 = 0
    /// The key that cancels its queries.
    var key = SessionKey.absent
    /// The deadline for all connection slots that it waits for; 0 if it has not waited.
    var queueDeadline: UInt64 = 0
    /// The ``SourceKey`` that it counts against; 0 is none.
    var sourceNumber: UInt64 = 0
    /// Its count at the balancer, where several aliases serve side by side.
    var share: BalanceShare?
    /// The client address that a load balancer in front of the proxy passed.
    var announcedSource: SocketAddress?

    // Small fields are grouped after one that leaves padding. Between wide fields, each small field would need as much
    // space as a wide one, in every session.

    /// The alias whose `max_connections` this session counts against.
    var placeOnAlias: Int?
    /// Whether it waits for a connection slot.
    var isQueued = false
    /// Whether the kernel watches the backend connection.
    var watchesBackend = false
    /// Whether it is one of the limited number of sessions that may try aliases that are down.
    var hasLastResortPlace = false
    /// Whether the session waits for the PROXY header of a load balancer.
    private var awaitsHeader: Bool
    /// What the client's socket has been ready for while no backend serves it.
    var waiting = Readiness()
    /// The bytes that it uses of the process's buffer budget.
    var heldBytes: Int32 = 0

    /// A session for a client that was accepted and counted.
    ///
    /// - Parameter isServed: whether the session gets a backend.
    init(environment: SessionEnvironment, route: Int, client: consuming Descriptor, isServed: Bool) {
        self.environment = environment
        loop = environment.loop
        self.route = route
        self.client = client
        id = environment.registry.nextNumber()
        startedAt = environment.loop.now
        let settings = environment.configuration.routes[route].session
        awaitsHeader = settings.acceptProxy
        let candidates: [RouteTable.Candidate]
        (candidates, share) = isServed ? environment.candidates(ofRoute: route) : ([], nil)
        let machine = SessionStateMachine(
            handshake: Handshake(environment.configuration.routes[route]), candidates: candidates,
            limits: settings.handshakeLimits, lastAnswerLimits: environment.snapshot.lastAnswerLimits,
            readOnlyGuard: environment.readOnlyGuard(ofRoute: route))
        hot = HotFields(machine: machine, lastActivity: startedAt)
    }

    var settings: SessionSettings { environment.configuration.routes[route].session }

    /// Starts the session.
    ///
    /// - Parameter refusal: the reason for a refusal; `nil` if the client is served.
    func start(refusal: Refusal?) {
        slot = loop.admit(self)
        do {
            try loop.watch(client.raw, .session, slot: slot, side: .client)
        } catch {
            return close(because: "\(error)")
        }
        if let refusal { return advance(machine.startRefused(refusal, now: loop.now)) }
        if awaitsHeader {
            loop.setDeadline(loop.now &+ settings.handshakeLimits.clientStartup, slot: slot)
        } else {
            begin()
        }
    }

    /// The client's address is known.
    private func begin() {
        if let refusal = enterSource() {
            advance(machine.startRefused(refusal, now: loop.now))
        } else {
            advance(machine.start(now: loop.now))
        }
    }

    func ready(_ readiness: Readiness, side: Side) {
        guard machine.isRelaying, !isLeaving else { return readyBeforeRelay(readiness, side: side) }
        if extras != nil, isShakingHands(with: side) {
            if side == .client, awaitsTurn, !readiness.isDisjoint(with: .broken) {
                return close(because: "the client closed the connection before its TLS began")
            }
            return shakeHands(with: side)
        }
        if readiness.contains(.writable) {
            flush(to: side)
            if !isClosed, !isLeaving { resumeTLS(with: side) }
        }
        guard !isClosed, !isLeaving else { return }
        let ended = !readiness.isDisjoint(with: .peerEnded)
        if side == .backend, toClient.sourceEnded, !readiness.isDisjoint(with: .broken) {
            return endAfterBackend(because: "the server accepts no more data")
        }
        if ended || readiness.contains(.readable) { relay(from: side, untilEnd: ended) }
    }

    func resume() {
        if isLeaving { return discardClient() }
        if extras != nil { resumeHandshakes() }
        guard !isClosed, !isLeaving else { return }
        guard machine.isRelaying else { return resumeReadingInHandshake() }
        relay(from: .client, untilEnd: true)
        if !isClosed, !isLeaving { relay(from: .backend, untilEnd: true) }
    }

    func deadlinePassed() {
        if isLeaving { return close(because: "the closing message was sent") }
        if awaitsHeader { return close(because: "no PROXY header came in time") }
        if extras != nil, hastenHandshakes() { return }
        guard machine.isRelaying else { return handshakeIsLate() }
        if guardIsLate() { return }
        let login = extras?.login
        if let login, login.deadline <= loop.now { return close(because: "no login in time") }
        watchPeers()
        guard !isClosed, !isLeaving else { return }
        if let login { return loop.setDeadline(login.deadline, slot: slot) }
        closeIfIdle()
    }

    /// Ends the session and releases everything that it holds.
    func close(because reason: @autoclosure () -> String) {
        guard !isClosed else { return }
        hot.isClosed = true
        environment.log.debug("session closed: \(reason())", metadata: environment.metadata(of: self))
        loop.dismiss(slot: slot)
        leaveHandshake(isSecured: false)
        leaveBackend()
        leavePlace()
        (toBackend.pending, toClient.pending) = (PendingBytes(), PendingBytes())
        countHeldBytes()
        environment.sessionEnded(self)
    }

    private func readyBeforeRelay(_ readiness: Readiness, side: Side) {
        if isLeaving {
            guard side == .client else { return }
            if extras?.client?.endsWhenWritable == true { endSending(to: .client) }
            discardClient()
        } else if awaitsHeader {
            readHeader(readiness)
        } else {
            readyInHandshake(readiness, side: side)
        }
    }

    private func readHeader(_ readiness: Readiness) {
        waiting.formUnion(readiness)
        switch client.receiveProxyHeader() {
        case .incomplete where readiness.isDisjoint(with: .peerEnded): return
        case .incomplete, .malformed: close(because: "no PROXY header")
        case .header(let source, _, _):
            announcedSource = source
            awaitsHeader = false
            begin()
            readClientInHandshake()
        }
    }
}

extension Handshake {
    init(_ route: ProxyRoute) {
        self =
            switch route.engine {
            case .postgres: .postgres(PostgresHandshake(termination: route.clientEncryption))
            case .mysql: .mysql(MySQLHandshake())
            case .tcp: .tcp
            }
    }
}

// MARK: - What each message touches

/// The fields that each message accesses. Only the loop's thread uses them.
private struct HotFields: ~Copyable {
    var backend: Descriptor?
    var machine: SessionStateMachine
    var toBackend = Flow()
    var toClient = Flow()
    var stream = SessionStream.opaque
    var lastActivity: UInt64
    var extras: SessionExtras?
    var movesSince: UInt64?
    var isLeaving = false
    var clientSpokeLast = false
    var isToBeWatched = false
    var awaitsKey = false
    var isClosed = false

    init(machine: consuming SessionStateMachine, lastActivity: UInt64) {
        self.machine = machine
        self.lastActivity = lastActivity
    }
}

extension Session {
    var backend: Descriptor? {
        _read { yield hot.backend }
        _modify { yield &hot.backend }
    }

    var machine: SessionStateMachine {
        _read { yield hot.machine }
        _modify { yield &hot.machine }
    }

    var toBackend: Flow {
        _read { yield hot.toBackend }
        _modify { yield &hot.toBackend }
    }

    var toClient: Flow {
        _read { yield hot.toClient }
        _modify { yield &hot.toClient }
    }

    var stream: SessionStream {
        _read { yield hot.stream }
        _modify { yield &hot.stream }
    }

    /// When bytes were last relayed.
    var lastActivity: UInt64 {
        get { hot.lastActivity }
        set { hot.lastActivity = newValue }
    }

    /// What only some sessions have.
    var extras: SessionExtras? {
        _read { yield hot.extras }
        _modify { yield &hot.extras }
    }

    /// When the move to a better alias was decided.
    var movesSince: UInt64? {
        get { hot.movesSince }
        set { hot.movesSince = newValue }
    }

    /// Whether the closing message was sent. Further bytes of the client are then discarded.
    var isLeaving: Bool {
        get { hot.isLeaving }
        set { hot.isLeaving = newValue }
    }

    /// Whether the latest bytes were the client's.
    var clientSpokeLast: Bool {
        get { hot.clientSpokeLast }
        set { hot.clientSpokeLast = newValue }
    }

    /// Whether the next bytes add the session to the route's ``PeerWatch``.
    var isToBeWatched: Bool {
        get { hot.isToBeWatched }
        set { hot.isToBeWatched = newValue }
    }

    /// Whether the server's cancel key is awaited.
    var awaitsKey: Bool {
        get { hot.awaitsKey }
        set { hot.awaitsKey = newValue }
    }

    var isClosed: Bool { hot.isClosed }
}

extension Session: MemoryWaiter, PeerOwner {}
