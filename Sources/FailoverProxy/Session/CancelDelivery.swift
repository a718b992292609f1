import FailoverCore
import FailoverSystem
import FailoverTLS
import Glibc

/// Delivers a PostgreSQL CancelRequest to one server. The server closes the connection without an answer.
final class CancelDelivery: Pollable {
    private enum Phase {
        /// Waiting for the server's answer to the request for TLS.
        case asking
        case shakingHands
        /// The message is being sent, and then the end of the connection is awaited.
        case sending
    }

    private let environment: SessionEnvironment
    private var loop: EventLoop { environment.loop }
    private var backend: ServerConnection?
    private var phase: Phase
    private var unsent: PendingBytes
    private let message: [UInt8]
    private let tls: ServerTLS?
    private let done: () -> Void
    private var slot = -1

    /// - Parameters:
    ///   - header: a PROXY header, which is sent first; empty if there is none.
    ///   - tls: how the connection is encrypted; `nil` if it is not.
    ///   - done: called once, when the server has closed the connection or the deadline has passed.
    init(
        _ environment: SessionEnvironment, header: [UInt8], message: [UInt8], tls: ServerTLS?,
        done: @escaping () -> Void
    ) {
        self.environment = environment
        self.message = message
        self.tls = tls
        self.done = done
        phase = tls == nil ? .sending : .asking
        unsent = PendingBytes(header + (tls == nil ? message : PostgresHandshake.sslRequest))
    }

    func start(at address: SocketAddress, deadline: UInt64) {
        slot = loop.admit(self)
        loop.setDeadline(deadline, slot: slot)
        do {
            let descriptor = try Dialer.dial(address)
            try loop.watch(descriptor.raw, .session, slot: slot, side: .backend)
            backend = ServerConnection(descriptor)
        } catch {
            finish()
        }
    }

    func ready(_ readiness: Readiness, side: Side) {
        if phase == .shakingHands { shakeHands() }
        if readiness.contains(.writable), !unsent.isEmpty { send() }
        if phase == .asking, readiness.contains(.readable) { readAnswer() }
        if !readiness.isDisjoint(with: .peerEnded) { finish() }
    }

    func deadlinePassed() { finish() }

    func resume() { if phase == .shakingHands { shakeHands() } }

    private func send() {
        switch unsent.withRemaining({ backend?.send($0) ?? .failed(EPIPE) }) {
        case .bytes(let count): unsent.consume(count)
        case .wouldBlock: return
        case .ended, .failed: finish()
        }
    }

    /// The answer is one byte, as in ``PostgresHandshake/agreed(_:)``.
    private func readAnswer() {
        guard let tls, let received = backend?.receive(into: loop.readBuffer) else { return finish() }
        if received == .wouldBlock { return }
        guard received == .bytes(1) else { return finish() }
        switch loop.readBuffer.bytes[0] {
        case UInt8(ascii: "S"):
            phase = .shakingHands
            do {
                try backend?.beginTLS(tls.context)
            } catch {
                return finish()
            }
            shakeHands()
        case PostgresHandshake.no where !tls.isRequired: sendMessage()
        default: finish()
        }
    }

    private func shakeHands() {
        guard let channel = backend?.tls else { return finish() }
        guard environment.mayShakeHands(with: .backend) else { return loop.resumeLater(slot: slot) }
        do {
            if try channel.handshake() != nil { return channel.mayHaveMore ? loop.resumeLater(slot: slot) : () }
            sendMessage()
        } catch {
            finish()
        }
    }

    private func sendMessage() {
        phase = .sending
        unsent = PendingBytes(message)
        send()
    }

    private func finish() {
        guard slot >= 0 else { return }
        loop.dismiss(slot: slot)
        slot = -1
        backend = nil
        done()
    }
}
