import CLinux
import FailoverCore
import FailoverSystem
import Glibc
import Logging

/// Accepts the clients of one route at one address. Pauses while the process is out of descriptors.
final class Listener: Pollable {
    private unowned let worker: Worker
    private let environment: SessionEnvironment
    private let socket: Descriptor
    /// Unique in this process.
    let id: Int
    /// The route whose clients it accepts.
    private(set) var route: Int
    private var slot = -1
    private var throttle = LogThrottle()

    /// The maximum number of clients that are accepted in one turn, before the loop's sessions are served.
    private static let clientsPerTurn = 64
    private static let pause: UInt64 = 100_000_000

    init(worker: Worker, id: Int, socket: consuming Descriptor, route: Int) {
        self.worker = worker
        environment = worker.environment
        self.id = id
        self.socket = socket
        self.route = route
    }

    private var loop: EventLoop { environment.loop }

    func start() {
        slot = loop.admit(self)
        watchPeers()
        watch()
    }

    /// Accepts clients for this route from now on, with the route's current settings.
    func serve(route: Int) {
        self.route = route
        watchPeers()
    }

    /// Accepted sockets inherit these options.
    private func watchPeers() {
        let settings = environment.configuration.routes[route].session
        socket.watchPeer(keepalive: settings.keepalive, userTimeout: settings.tcpUserTimeout)
    }

    /// Accepts the clients that are already connected, then closes the socket. Closing it first would reset their
    /// connections.
    func stop() {
        accept(upTo: Int(SOMAXCONN))
        // Another process may also hold the socket. epoll would then report its clients even after it is closed here.
        loop.unwatch(socket.raw)
        loop.dismiss(slot: slot)
    }

    func ready(_ readiness: Readiness, side: Side) { accept(upTo: Self.clientsPerTurn) }

    private func accept(upTo limit: Int) {
        for _ in 0..<limit {
            guard environment.registry.hasRoom else { return pause(because: "the limit of open files is reached") }
            let raw = clinux_accept4(socket.raw, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
            guard raw >= 0 else { return acceptFailed(errno) }
            admit(Descriptor(owning: raw))
        }
    }

    func deadlinePassed() { watch() }

    func resume() {}

    private func admit(_ client: consuming Descriptor) {
        if let networks = environment.configuration.routes[route].allow {
            let peer = client.peerAddress
            guard let peer, networks.contains(peer) else {
                return warn("client refused: \(peer?.description ?? "its address") is not in `allow`")
            }
        }
        environment.registry.noteOpened()
        if let closure = environment.routes.closure(ofRoute: route) {
            warn("client refused: closed during the outage of \(closure.service)")
            environment.traffic.routes[route].refused += 1
            worker.distribute(client, route: route, refusal: Refusal(kind: .closed, message: closure.message))
        } else {
            // The connection limit is checked later, when the session needs a server. A cancel request needs none.
            environment.traffic.routes[route].accepted += 1
            worker.distribute(client, route: route, refusal: nil)
        }
    }

    private func acceptFailed(_ code: Int32) {
        switch code {
        case EAGAIN, EINTR, ECONNABORTED: break
        default: pause(because: SystemError(code).message)
        }
    }

    private func pause(because reason: String) {
        warn("listener paused: \(reason)")
        loop.unwatch(socket.raw)
        loop.setDeadline(loop.now &+ Self.pause, slot: slot)
    }

    private func watch() {
        do {
            try loop.watch(socket.raw, .readable, slot: slot, side: .client)
        } catch {
            pause(because: "\(error)")
        }
    }

    private func warn(_ message: @autoclosure () -> String) {
        guard let suppressed = throttle.allow(at: loop.now) else { return }
        environment.log.warning(
            "\(environment.routes.routes[route].name): \(message())", metadata: ["suppressed": "\(suppressed)"])
    }
}
