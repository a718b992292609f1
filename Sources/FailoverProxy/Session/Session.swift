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
    let route: Int
    let client: Descriptor
    var backend: Descriptor?
    // Touched at each message and by the loop's thread alone: the runtime's check that two accesses do not overlap
    // would cost more than all else that happens to the message here.
    @exclusivity(unchecked) var machine: SessionStateMachine
    @exclusivity(unchecked) var toBackend = Flow()
    @exclusivity(unchecked) var toClient = Flow()
    @exclusivity(unchecked) var lastActivity: UInt64
    private(set) var slot = -1
    /// What the client's socket was ready for while a backend was dialed.
    private var waiting = Readiness()
    private var isClosed = false
    /// The alias whose `max_connections` this session counts against.
    private var placeOnAlias: Int?
    /// Whether the kernel watches over the backend for us.
    private var watchesBackend = false

    /// A session that ends within its first second needs nobody to find out that its backend vanished, and most of
    /// those that clients open for one query do. So they are spared five system calls.
    private static let youth: UInt64 = 1_000_000_000

    /// A session for a client that was accepted and counted.
    init(worker: Worker, route: Int, client: consuming Descriptor) {
        self.worker = worker
        loop = worker.loop
        self.route = route
        self.client = client
        lastActivity = worker.loop.now
        machine = SessionStateMachine(
            candidates: worker.routes.candidates(ofRoute: route),
            connectTimeout: worker.configuration.routes[route].session.connectTimeout)
    }

    var settings: SessionSettings { worker.configuration.routes[route].session }

    func start() {
        slot = loop.admit(self)
        do {
            try loop.watch(client.raw, .session, slot: slot, side: .client)
        } catch {
            return close(because: "\(error)")
        }
        perform(machine.start(now: loop.now))
    }

    func ready(_ readiness: Readiness, side: Side) {
        guard machine.isRelaying else { return readyWhileDialing(readiness, side: side) }
        if readiness.contains(.writable) { flush(to: side) }
        guard !isClosed else { return }
        let ended = !readiness.isDisjoint(with: .peerEnded)
        if ended || readiness.contains(.readable) { relay(from: side, untilEnd: ended) }
    }

    func resume() {
        guard machine.isRelaying else { return }
        relay(from: .client, untilEnd: true)
        if !isClosed { relay(from: .backend, untilEnd: true) }
    }

    func deadlinePassed() {
        guard machine.isRelaying else { return dialFailed(.timeout) }
        if !watchesBackend {
            backend?.watchPeer(keepalive: settings.keepalive, userTimeout: settings.tcpUserTimeout)
            watchesBackend = true
        }
        closeIfIdle()
    }

    /// Ends the session and gives back what it held.
    func close(because reason: @autoclosure () -> String) {
        guard !isClosed else { return }
        isClosed = true
        worker.log.debug("session closed: \(reason())", metadata: worker.metadata(of: self))
        loop.dismiss(slot: slot)
        backend = nil
        leavePlace()
        worker.sessionEnded(self)
    }
}

// MARK: - Finding a backend

extension Session {
    private func perform(_ action: SessionStateMachine.Action) {
        switch action {
        case .dial(let address, let deadline):
            dial(address, deadline: deadline)
        case .relay:
            startRelay()
        case .refuse(let attempts):
            worker.noteRefusal(route: route, attempts: attempts)
            close(because: "no alias could serve it")
        }
    }

    private func dial(_ address: SocketAddress, deadline: UInt64) {
        guard takePlace() else { return dialFailed(.full) }
        do {
            let descriptor = try Dialer.dial(address)
            try loop.watch(descriptor.raw, .session, slot: slot, side: .backend)
            backend = consume descriptor
            loop.setDeadline(deadline, slot: slot)
        } catch {
            dialFailed(.system(error.code))
        }
    }

    private func dialFailed(_ failure: DialFailure) {
        backend = nil
        let (ended, next) = machine.failed(failure, now: loop.now)
        if let ended {
            leavePlace()
            worker.noteFailure(ended, route: route)
        }
        perform(next)
    }

    /// Takes one of the places that the alias has, unless the session has it already.
    private func takePlace() -> Bool {
        guard placeOnAlias == nil, let alias = machine.alias else { return true }
        guard worker.registry.admit(alias: alias) else { return false }
        placeOnAlias = alias
        return true
    }

    private func leavePlace() {
        if let alias = placeOnAlias { worker.registry.release(alias: alias) }
        placeOnAlias = nil
    }

    private func readyWhileDialing(_ readiness: Readiness, side: Side) {
        switch side {
        case .client:
            waiting.formUnion(readiness)
            if !readiness.isDisjoint(with: .broken) { close(because: "the client left before a backend was found") }
        case .backend:
            if !readiness.isDisjoint(with: .broken), let code = backend?.pendingError, code != 0 {
                return dialFailed(.system(code))
            }
            guard readiness.contains(.writable) else { return }
            perform(machine.connected())
            // The greeting may have come with the same event.
            if !isClosed, readiness.contains(.readable) { relay(from: .backend, untilEnd: true) }
        }
    }

    private func startRelay() {
        lastActivity = loop.now
        loop.setDeadline(loop.now &+ min(Self.youth, settings.idleTimeout?.nanoseconds ?? .max), slot: slot)
        worker.log.debug("session started", metadata: worker.metadata(of: self))
        if !waiting.isEmpty { relay(from: .client, untilEnd: !waiting.isDisjoint(with: .peerEnded)) }
    }

    /// The deadline was set for the latest activity known then; there may have been more since.
    private func closeIfIdle() {
        guard let limit = settings.idleTimeout?.nanoseconds else { return loop.setDeadline(nil, slot: slot) }
        let deadline = lastActivity &+ limit
        if deadline <= loop.now { return close(because: "idle") }
        loop.setDeadline(deadline, slot: slot)
    }
}
