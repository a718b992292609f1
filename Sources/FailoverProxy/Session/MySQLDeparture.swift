import Glibc

/// Takes leave of a MySQL server whose client must not log in.
final class MySQLDeparture: Pollable {
    private let loop: EventLoop
    private let backend: Descriptor
    private var login = MySQLRefusedLogin()
    private var slot = -1

    /// - Parameter backend: a connection on which the server has greeted, and nothing has been answered.
    init(loop: EventLoop, backend: consuming Descriptor) {
        self.loop = loop
        self.backend = backend
    }

    func start(deadline: UInt64) {
        slot = loop.admit(self)
        loop.setDeadline(deadline, slot: slot)
        loop.unwatch(backend.raw)
        do {
            try loop.watch(backend.raw, .session, slot: slot, side: .backend)
            send(MySQLRefusedLogin.handshake)
        } catch {
            finish()
        }
    }

    func ready(_ readiness: Readiness, side: Side) {
        while slot >= 0, !readiness.isDisjoint(with: [.readable, .peerEnded]) {
            switch backend.receive(into: loop.readBuffer) {
            case .bytes(let count):
                let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(loop.readBuffer.bytes)[..<count])
                switch login.serverSent(bytes) {
                case .wait: continue
                case .send(let bytes): send(bytes)
                case .leave: finish()
                }
            case .wouldBlock: return
            case .ended, .failed: finish()
            }
        }
    }

    func deadlinePassed() { finish() }

    func resume() {}

    private func send(_ bytes: [UInt8]) {
        if backend.send(bytes) != .bytes(bytes.count) { finish() }
    }

    private func finish() {
        guard slot >= 0 else { return }
        loop.dismiss(slot: slot)
        slot = -1
    }
}
