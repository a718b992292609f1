import Glibc

/// Takes leave of a MySQL server that has not let the client in.
final class MySQLDeparture: Pollable {
    private let loop: EventLoop
    private let backend: Descriptor
    private var login: MySQLRefusedLogin
    private let done: () -> Void
    private var slot = -1

    /// - Parameters:
    ///   - backend: a connection on which the login is as far as `login` has it.
    ///   - done: called once, when the server has been left or the time is over.
    init(loop: EventLoop, backend: consuming Descriptor, login: MySQLRefusedLogin, done: @escaping () -> Void) {
        self.loop = loop
        self.backend = backend
        self.login = login
        self.done = done
    }

    func start(deadline: UInt64) {
        slot = loop.admit(self)
        loop.setDeadline(deadline, slot: slot)
        loop.unwatch(backend.raw)
        do {
            try loop.watch(backend.raw, .session, slot: slot, side: .backend)
            follow(login.start())
        } catch {
            finish()
        }
    }

    func ready(_ readiness: Readiness, side: Side) {
        while slot >= 0, !readiness.isDisjoint(with: [.readable, .peerEnded]) {
            switch backend.receive(into: loop.readBuffer) {
            case .bytes(let count):
                let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(loop.readBuffer.bytes)[..<count])
                follow(login.serverSent(bytes))
            case .wouldBlock: return
            case .ended, .failed: finish()
            }
        }
    }

    func deadlinePassed() { finish() }

    func resume() {}

    /// The process ends soon.
    func hurry(deadline: UInt64) {
        if slot >= 0 { loop.setDeadline(deadline, slot: slot) }
    }

    private func follow(_ step: MySQLRefusedLogin.Step) {
        switch step {
        case .wait: return
        case .send(let bytes): if backend.send(bytes) != .bytes(bytes.count) { finish() }
        case .leave: finish()
        }
    }

    private func finish() {
        guard slot >= 0 else { return }
        loop.dismiss(slot: slot)
        slot = -1
        done()
    }
}
