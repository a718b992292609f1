package import FailoverCore
package import FailoverSystem
import Glibc

/// One attempt to ping, at one address, on a thread that may block.
package struct PingAttempt: Sendable {
    package let address: SocketAddress
    /// The address as it stands in failures: as configured, and as resolved if there are several.
    let peer: String
    /// Whether its name could not be looked up this time, so that this is where it was.
    var isRemembered = false
    package let deadline: Deadline
    /// What the ping is to find out.
    let request: PingRequest
    let progress: PingProgress
    /// Must not appear in any text, even if a server repeats it.
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

    /// A failure with the words of whoever refused.
    package func failure(_ reason: PingFailure.Reason, _ words: String) -> PingFailure {
        PingFailure(reason, "\(peer): \(words.asOneLine(hiding: secret))")
    }

    /// A failed system call.
    func failure(_ error: SystemError) -> PingFailure {
        if case .timeout = error.reason(at: stage) { return PingFailure(.timeout(stage), "\(peer): \(error.words)") }
        if error.isOfFirewall, !address.isUnix, stage == .connecting { return failure(.unreachable, error.words) }
        return failure(error.reason(at: stage) ?? .other, error.words)
    }

    /// The failure of running out of time.
    var timeout: PingFailure { progress.timeout }

    /// Waits until the descriptor is ready for one of `events`.
    ///
    /// - Throws: ``timeout`` when the deadline passes before.
    func wait(for events: Int32, on descriptor: Int32) throws(PingFailure) {
        switch SocketReadiness.wait(for: events, on: descriptor, until: deadline) {
        case .ready: return
        case .timedOut: throw timeout
        case .failed(let error): throw failure(error)
        }
    }
}

/// A way to ping, at one address. Runs on a thread that may block, and ends soon after the attempt's deadline.
package protocol PingDriver: Sendable {
    func ping(_ attempt: PingAttempt) throws(PingFailure) -> ServerAnswer
}

/// What a server has answered that is well.
package struct ServerAnswer: Sendable {
    /// What a replica says of its replication; `nil` when it was not asked.
    var replication: ReplicationReading?
    /// How far a primary's log is; `nil` when it was not asked, is no primary, or does not tell.
    var walPosition: UInt64?
    /// What tells it from others; `nil` when it was not asked.
    var identity: String?
}

/// How far a ping has come: written by the thread that runs it, read by whoever gives up on it.
package final class PingProgress: Sendable {
    private struct State {
        var stage = PingFailure.Stage.connecting
        var peer: String
        /// What says most of the addresses that have failed.
        var failure: PingFailure?
    }

    private let limit: Duration
    private let state: Lock<State>

    /// - Parameter limit: the time limit of the whole ping, for the text of a failure.
    package init(peer: String, limit: Duration) {
        self.limit = limit
        state = Lock(State(peer: peer))
    }

    var stage: PingFailure.Stage { state.withLock { $0.stage } }

    func reached(_ stage: PingFailure.Stage) { state.withLock { $0.stage = stage } }

    /// An attempt at the next address begins.
    func begin(_ peer: String) { state.withLock { $0 = State(peer: peer, failure: $0.failure) } }

    /// So far this says most of the addresses that have failed.
    func failed(_ failure: PingFailure) { state.withLock { $0.failure = failure } }

    /// The failure of a ping whose driver does not come back in time: what an address has said before may say more.
    var failureAtTheLimit: PingFailure {
        let timeout = timeout
        guard let failure = state.withLock({ $0.failure }), failure.weight > timeout.weight else { return timeout }
        return failure
    }

    /// The failure of a ping whose time is up now.
    package var timeout: PingFailure {
        let state = state.withLock { $0 }
        return PingFailure(.timeout(state.stage), "\(state.peer) gave no answer within \(limit.text)")
    }
}

/// What an error number means for a ping.
extension SystemError {
    /// Whether it may be a firewall's word, of this machine or, by ICMP, of another; of a path it is about permissions.
    var isOfFirewall: Bool { code == EACCES || code == EPERM }

    /// Whether the peer said what it should not.
    var isProtocolError: Bool { code == EPROTO }

    /// What a failed attempt to connect or to talk means; `nil` when it is no error of the network.
    func reason(at stage: PingFailure.Stage) -> PingFailure.Reason? {
        switch code {
        case ECONNREFUSED, ENOENT: .refused
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN: .unreachable
        // EAGAIN: the queue of a Unix socket is full, and what a connect to a port would wait for did not happen.
        case ETIMEDOUT, EAGAIN: .timeout(stage)
        case ECONNRESET, EPIPE, ECONNABORTED, ENOTCONN: .disconnected
        // EADDRNOTAVAIL: no source port is left, or no source address of that family.
        case EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES, EPERM, ENOTSOCK, ENAMETOOLONG, EADDRNOTAVAIL, EAFNOSUPPORT: .local
        default: nil
        }
    }

    /// The error numbers that C libraries only mention as text.
    static let named: [SystemError] = [
        ECONNREFUSED, ENOENT, ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL, EAFNOSUPPORT, ETIMEDOUT,
        EAGAIN, ECONNRESET, EPIPE, ECONNABORTED, EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES, EPERM,
    ].map { SystemError($0) }

    /// The error whose text is part of `text`.
    static func mentioned(in text: String) -> SystemError? {
        named.first { text.contains($0.words) }
    }
}
