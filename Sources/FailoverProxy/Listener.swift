import CLinux
import FailoverCore
import FailoverSystem
import Glibc
import Logging

/// Accepts the clients of one route at one address, and pauses while the process is out of descriptors.
final class Listener: Pollable {
    private unowned let worker: Worker
    private let socket: Descriptor
    /// Tells it from others of this process.
    let id: Int
    /// The route whose clients it accepts.
    private(set) var route: Int
    private var slot = -1
    private var throttle = LogThrottle()

    /// Clients accepted before sessions have their turn.
    private static let clientsPerTurn = 64
    private static let pause: UInt64 = 100_000_000

    init(worker: Worker, id: Int, socket: consuming Descriptor, route: Int) {
        self.worker = worker
        self.id = id
        self.socket = socket
        self.route = route
    }

    func start() {
        slot = worker.loop.admit(self)
        watchPeers()
        watch()
    }

    /// Accepts clients of this route from now on, by its settings of this moment.
    func serve(route: Int) {
        self.route = route
        watchPeers()
    }

    /// Clients inherit what is set here.
    private func watchPeers() {
        let settings = worker.configuration.routes[route].session
        socket.watchPeer(keepalive: settings.keepalive, userTimeout: settings.tcpUserTimeout)
    }

    /// Takes the clients who are connected already, then listens no more: closing would reset them.
    func stop() {
        accept(upTo: Int(SOMAXCONN))
        // Another process may hold the socket too, which then goes on to tell of clients after it is closed here.
        worker.loop.unwatch(socket.raw)
        worker.loop.dismiss(slot: slot)
    }

    func ready(_ readiness: Readiness, side: Side) { accept(upTo: Self.clientsPerTurn) }

    private func accept(upTo limit: Int) {
        for _ in 0..<limit {
            guard worker.registry.hasRoom else { return pause(because: "its limit of open files is reached") }
            let raw = clinux_accept4(socket.raw, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
            guard raw >= 0 else { return acceptFailed(errno) }
            admit(Descriptor(owning: raw))
        }
    }

    func deadlinePassed() { watch() }

    func resume() {}

    private func admit(_ client: consuming Descriptor) {
        if let networks = worker.configuration.routes[route].allow {
            let peer = client.peerAddress
            guard let peer, networks.contains(peer) else {
                return warn("client refused: \(peer?.description ?? "its address") is not in `allow`")
            }
        }
        worker.registry.noteOpened()
        if let closure = worker.routes.closure(ofRoute: route) {
            warn("client refused: closed during the outage of \(closure.service)")
            worker.traffic.routes[route].refused += 1
            worker.distribute(client, route: route, refusal: Refusal(kind: .closed, message: closure.message))
        } else {
            // Whether there is a place for it is known when it needs a server: a cancel request needs none.
            worker.traffic.routes[route].accepted += 1
            worker.distribute(client, route: route, refusal: nil)
        }
    }

    private func acceptFailed(_ code: Int32) {
        switch code {
        case EAGAIN, EINTR, ECONNABORTED: break
        default: pause(because: SystemError(code).words)
        }
    }

    private func pause(because reason: String) {
        warn("the listener pauses: \(reason)")
        worker.loop.unwatch(socket.raw)
        worker.loop.setDeadline(worker.loop.now &+ Self.pause, slot: slot)
    }

    private func watch() {
        do {
            try worker.loop.watch(socket.raw, .readable, slot: slot, side: .client)
        } catch {
            pause(because: "\(error)")
        }
    }

    private func warn(_ message: @autoclosure () -> String) {
        guard let suppressed = throttle.allow(at: worker.loop.now) else { return }
        worker.log.warning(
            "\(worker.routes.routes[route].name): \(message())", metadata: ["suppressed": "\(suppressed)"])
    }
}
