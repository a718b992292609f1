import FailoverCore
import Glibc

/// Ends a connection to a MySQL server on which the client is not logged in.
final class MySQLAbort: Pollable {
    private let loop: EventLoop
    private var backend: ServerConnection
    private var login: MySQLRefusedLogin
    private let done: () -> Void
    private var slot = -1

    /// - Parameters:
    ///   - backend: a connection whose login is at the stage of `login`.
    ///   - done: called once, when the connection has ended or the deadline has passed.
    init(loop: EventLoop, backend: consuming ServerConnection, login: MySQLRefusedLogin, done: @escaping () -> Void) {
        self.loop = loop
        self.backend = backend
        self.login = login
        self.done = done
    }

    func start(deadline: UInt64) {
        slot = loop.admit(self)
        loop.setDeadline(deadline, slot: slot)
        loop.unwatch(backend.descriptor.raw)
        do {
            try loop.watch(backend.descriptor.raw, .session, slot: slot, side: .backend)
            follow(login.start())
        } catch {
            finish()
        }
    }

    func ready(_ readiness: Readiness, side: Side) {
        if !readiness.isDisjoint(with: [.readable, .peerEnded]) { read() }
    }

    func deadlinePassed() { finish() }

    func resume() { read() }

    private func read() {
        while slot >= 0 {
            switch backend.receive(into: loop.readBuffer) {
            case .bytes(let count):
                let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(loop.readBuffer.bytes)[..<count])
                follow(login.serverSent(bytes))
            case .wouldBlock: return backend.hasMore ? loop.resumeLater(slot: slot) : ()
            case .ended, .failed: return finish()
            }
        }
    }

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

/// One loop's connections to MySQL servers that are being ended before the login is complete, so that the server does
/// not count them as errors of this host.
final class MySQLAborts {
    private unowned let loop: EventLoop
    private var count = 0
    /// Called once, when the last connection has ended. The process then ends.
    private var whenDone: (() -> Void)?
    private var isHurried = false

    /// The maximum number of connections that are ended properly at the same time. Further connections are just closed.
    private static let most = 128
    /// The time limit for a server's refusal of the login, in nanoseconds, and the limit when the process ends.
    private static let timeout: UInt64 = 5_000_000_000
    private static let lastTimeout: UInt64 = 1_000_000_000

    init(loop: EventLoop) { self.loop = loop }

    /// Ends the connection.
    func leave(_ backend: consuming ServerConnection, _ login: MySQLRefusedLogin) {
        guard count < Self.most else { return }
        count += 1
        MySQLAbort(loop: loop, backend: backend, login: login) { [self] in
            count -= 1
            callIfDone()
        }.start(deadline: loop.now &+ (isHurried ? Self.lastTimeout : Self.timeout))
    }

    /// The process ends soon.
    func hurry() {
        isHurried = true
        for case let abort as MySQLAbort in loop.everyTenant { abort.hurry(deadline: loop.now &+ Self.lastTimeout) }
    }

    /// Calls `body` when all connections have ended; at once if there are none.
    func whenAllHaveLeft(_ body: @escaping () -> Void) {
        whenDone = body
        callIfDone()
    }

    private func callIfDone() {
        guard count == 0, let body = whenDone else { return }
        whenDone = nil
        body()
    }
}
