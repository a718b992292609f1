import FailoverCore
import Glibc

/// Carries a PostgreSQL CancelRequest to one server, which closes without a word.
final class CancelDelivery: Pollable {
    private let loop: EventLoop
    private var backend: Descriptor?
    private var message: PendingBytes
    private let done: () -> Void
    private var slot = -1

    /// - Parameter done: called once, when the server has closed or the time is over.
    init(loop: EventLoop, message: [UInt8], done: @escaping () -> Void) {
        self.loop = loop
        self.message = PendingBytes(message)
        self.done = done
    }

    func start(at address: SocketAddress, deadline: UInt64) {
        slot = loop.admit(self)
        loop.setDeadline(deadline, slot: slot)
        do {
            let descriptor = try Dialer.dial(address)
            try loop.watch(descriptor.raw, .session, slot: slot, side: .backend)
            backend = consume descriptor
        } catch {
            finish()
        }
    }

    func ready(_ readiness: Readiness, side: Side) {
        if readiness.contains(.writable), !message.isEmpty { send() }
        if !readiness.isDisjoint(with: .peerEnded) { finish() }
    }

    func deadlinePassed() { finish() }

    func resume() {}

    private func send() {
        switch backend?.send(message) {
        case .bytes(let count): message.consume(count)
        case .wouldBlock, nil: return
        case .ended, .failed: finish()
        }
    }

    private func finish() {
        guard slot >= 0 else { return }
        loop.dismiss(slot: slot)
        slot = -1
        backend = nil
        done()
    }
}

extension Session {
    /// Gives the cancel request to all servers of the route that may know its key. It takes no place of the route.
    ///
    /// The client learns by the end of its connection that the request has arrived, so that waits for them.
    func cancel(_ message: [UInt8]) {
        let addresses = worker.addressesToCancel(CancelKey(request: message), ofRoute: route)
        var remaining = addresses.count
        guard remaining > 0 else { return close(because: "a cancel request, and no session to cancel") }
        let budget = worker.registry.cancelRequests
        guard budget.take() else { return close(because: "too many cancel requests are under way") }
        let deadline = loop.now &+ settings.openingLimits.connect &+ settings.openingLimits.greeting
        isLeaving = true
        leavePlace()
        openingDeadline = deadline
        loop.setDeadline(deadline, slot: slot)
        let header = settings.sendProxy.map { proxyHeader($0) } ?? []
        for address in addresses {
            CancelDelivery(loop: loop, message: header + message) { [self] in
                remaining -= 1
                guard remaining == 0 else { return }
                budget.leave()
                close(because: "its cancel request was delivered")
            }.start(at: address, deadline: deadline)
        }
    }
}
