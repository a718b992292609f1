package import FailoverCore
package import FailoverSystem
import Glibc

/// One attempt to ping a server at one address.
package struct PingAttempt: Sendable {
    package let address: SocketAddress
    /// The address for failure messages: the configured one, and the resolved one if there are several.
    let peer: String
    /// Whether the look-up of the host name failed, so that this is a remembered address.
    var isRemembered = false
    package let deadline: Deadline
    /// What the ping must find out.
    let request: PingRequest
    let progress: PingProgress
    /// A secret that must not appear in a message, even if a server repeats it.
    let secret: Secret?

    package init(
        address: SocketAddress, peer: String, isRemembered: Bool = false, deadline: Deadline, request: PingRequest,
        progress: PingProgress, secret: Secret?
    ) {
        self.request = request
        self.address = address
        self.peer = peer
        self.isRemembered = isRemembered
        self.deadline = deadline
        self.progress = progress
        self.secret = secret
    }

    var stage: PingFailure.Stage { progress.stage }

    package func reached(_ stage: PingFailure.Stage) { progress.reached(stage) }

    /// The same attempt with another secret.
    func hiding(_ secret: Secret?) -> PingAttempt {
        PingAttempt(
            address: address, peer: peer, isRemembered: isRemembered, deadline: deadline, request: request,
            progress: progress, secret: secret)
    }

    /// A failure with the message of the peer or of this program.
    package func failure(_ reason: PingFailure.Reason, _ message: String) -> PingFailure {
        PingFailure(reason, "\(peer): \(message.asOneLine(hiding: secret))")
    }

    /// The failure for an error of a system call.
    func failure(_ error: SystemError) -> PingFailure {
        if case .timeout = error.reason(at: stage) { return PingFailure(.timeout(stage), "\(peer): \(error.message)") }
        if error.isOfFirewall, !address.isUnix, stage == .connecting { return failure(.unreachable, error.message) }
        return failure(error.reason(at: stage) ?? .other, error.message)
    }

    /// The failure of an attempt whose deadline has passed.
    var timeout: PingFailure { progress.timeout }

    /// Waits until the descriptor is ready for one of `events`.
    ///
    /// - Throws: ``timeout`` if the deadline passes first.
    func wait(for events: Int32, on descriptor: Int32) throws(PingFailure) {
        switch SocketReadiness.wait(for: events, on: descriptor, until: deadline) {
        case .ready: return
        case .timedOut: throw timeout
        case .failed(let error): throw failure(error)
        }
    }
}

/// Pings one address on a thread that may block. It returns soon after the deadline of the attempt.
package protocol PingDriver: Sendable {
    func ping(_ attempt: PingAttempt) throws(PingFailure) -> ServerAnswer
}

/// Pings one address without blocking. It returns soon after the deadline of the attempt.
package protocol WaitingPingDriver: Sendable {
    func ping(_ attempt: PingAttempt) async throws(PingFailure) -> ServerAnswer
}

/// The answer of a healthy server.
package struct ServerAnswer: Sendable {
    /// A replica's replication status; `nil` if it was not queried.
    var replication: ReplicationReading?
    /// The WAL position of a primary; `nil` if it was not queried, or if the server is not a primary or does not report
    /// it.
    var walPosition: UInt64?
    /// The server's identity; `nil` if it was not queried.
    var identity: String?
    /// The TLS session of the ping; `nil` without TLS.
    var tls: TLSFacts?
}

/// The progress of a ping. The thread that runs the ping writes it. A caller reads it when it stops waiting.
package final class PingProgress: Sendable {
    private struct State {
        var stage = PingFailure.Stage.connecting
        var peer: String
        /// The heaviest failure of the addresses so far.
        var failure: PingFailure?
    }

    private let limit: Duration
    private let state: Lock<State>

    /// - Parameter limit: the time limit of the whole ping, for failure messages.
    package init(peer: String, limit: Duration) {
        self.limit = limit
        state = Lock(State(peer: peer))
    }

    var stage: PingFailure.Stage { state.withLock { $0.stage } }

    func reached(_ stage: PingFailure.Stage) { state.withLock { $0.stage = stage } }

    /// Takes the event that an attempt at the next address begins.
    func begin(_ peer: String) { state.withLock { $0 = State(peer: peer, failure: $0.failure) } }

    /// Sets the heaviest failure so far.
    func failed(_ failure: PingFailure) { state.withLock { $0.failure = failure } }

    /// The failure of a ping whose driver does not return in time: the timeout, or the failure of an earlier address if
    /// that is heavier.
    var failureAtTheLimit: PingFailure {
        let timeout = timeout
        guard let failure = state.withLock({ $0.failure }), failure.weight > timeout.weight else { return timeout }
        return failure
    }

    /// The failure of a ping whose deadline passes now.
    package var timeout: PingFailure {
        let state = state.withLock { $0 }
        return PingFailure(.timeout(state.stage), "\(state.peer) gave no answer within \(limit.text)")
    }
}

/// The meaning of an error number for a ping.
extension SystemError {
    /// Whether a firewall may be the cause, on this machine or on another one that has answered by ICMP. For a Unix
    /// socket, the cause is a missing permission.
    var isOfFirewall: Bool { code == EACCES || code == EPERM }

    /// Whether the peer violated the protocol.
    var isProtocolError: Bool { code == EPROTO }

    /// The reason that the error of a connect or transfer means; `nil` if it is not one of these errors.
    func reason(at stage: PingFailure.Stage) -> PingFailure.Reason? {
        switch code {
        case ECONNREFUSED, ENOENT: .refused
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN: .unreachable
        // EAGAIN means that the backlog of a Unix socket is full. A TCP connect would time out in this case.
        case ETIMEDOUT, EAGAIN: .timeout(stage)
        case ECONNRESET, EPIPE, ECONNABORTED, ENOTCONN: .disconnected
        // EADDRNOTAVAIL means that there is no free source port, or no source address of the family.
        case EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES, EPERM, ENOTSOCK, ENAMETOOLONG, EADDRNOTAVAIL, EAFNOSUPPORT: .local
        default: nil
        }
    }

    /// The errors that C libraries report only as text.
    static let named: [SystemError] = [
        ECONNREFUSED, ENOENT, ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL, EAFNOSUPPORT, ETIMEDOUT,
        EAGAIN, ECONNRESET, EPIPE, ECONNABORTED, EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES, EPERM,
    ].map { SystemError($0) }

    /// The error whose message is part of `text`.
    static func mentioned(in text: String) -> SystemError? {
        named.first { text.contains($0.message) }
    }
}
