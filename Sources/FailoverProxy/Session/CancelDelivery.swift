import FailoverCore
import FailoverSystem
import Glibc

/// Delivers a PostgreSQL CancelRequest to one server. The server closes the connection without an answer.
final class CancelDelivery: Pollable {
    private let loop: EventLoop
    private var backend: Descriptor?
    private var message: PendingBytes
    private let done: () -> Void
    private var slot = -1

    /// - Parameter done: called once, when the server has closed the connection or the deadline has passed.
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
