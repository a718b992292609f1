import FailoverCore
import FailoverSystem

/// One attempt to ping, at one address, on a thread that may block.
struct PingAttempt: Sendable {
    let address: SocketAddress
    /// The address as it stands in failures: as configured, and as resolved if there are several.
    let peer: String
    /// Whether its name could not be looked up this time, so that this is where it was.
    var isRemembered = false
    let deadline: Deadline
    let progress: PingProgress
    /// Must not appear in any text, even if a server repeats it.
    let secret: Secret?

    var stage: PingFailure.Stage { progress.stage }

    func reached(_ stage: PingFailure.Stage) { progress.reached(stage) }

    /// The same attempt with another secret.
    func hiding(_ secret: Secret?) -> PingAttempt {
        PingAttempt(
            address: address, peer: peer, isRemembered: isRemembered, deadline: deadline, progress: progress,
            secret: secret)
    }

    /// A failure with the words of whoever refused.
    func failure(_ reason: PingFailure.Reason, _ words: String) -> PingFailure {
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
protocol PingDriver: Sendable {
    func ping(_ attempt: PingAttempt) throws(PingFailure)
}
