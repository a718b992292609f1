import FailoverCore
import FailoverSystem
import Glibc

/// Decides when the end of an established session is reported as a failure of its server.
///
/// A server with such a failure may get no new sessions for a while. So only cases count that neither a client nor
/// normal operation can cause:
/// * The server reports that it is shutting down or has no connection slot. One such message may concern this session
///   alone (`pg_terminate_backend`), so the observer decides by the number of sessions that got one.
/// * The server resets the connection while it owes an answer to a client that is logged in, on a readable stream,
///   without having sent an error.
/// * The server's host no longer acknowledges anything or is unreachable, and the latest bytes were the client's.
/// * The server closes a new connection before either side has sent a byte.
///
/// Other cases do not count: the close or reset of an idle session (`idle_session_timeout`, `wait_timeout`), a close
/// after an error, and a reset during a login or of an encrypted session, which malformed data from a client can cause.
/// If a failing server could end a session in the same way, a ping is requested. The server stays in use until its
/// result.
extension Session {
    /// The server has reported its own state.
    func noteSigns(_ message: ServerSigns) {
        if message.contains(.shutdown) {
            environment.noteFailure(
                .serverShutdown, session: self, detail: "the server reports that it is shutting down")
        }
        if message.contains(.full) {
            environment.noteFailure(
                .tooManyConnections, session: self,
                detail: "the server refused a login: it accepts no more connections")
        }
    }

    /// The connection to the backend broke.
    ///
    /// - Parameter code: `errno`.
    func noteBackendError(_ code: Int32) {
        switch code {
        case ECONNRESET, EPIPE:
            if stream.owesAnswer, !toClient.sourceEnded {
                environment.noteFailure(.reset, session: self, detail: SystemError(code).message)
            } else if clientSpokeLast {
                doubt()
            }
        case ETIMEDOUT where clientSpokeLast:
            environment.noteFailure(.connectTimeout, session: self, detail: SystemError(code).message)
        case EHOSTUNREACH where clientSpokeLast, ENETUNREACH where clientSpokeLast:
            environment.noteFailure(.connectUnreachable, session: self, detail: SystemError(code).message)
        default: break
        }
    }

    /// The backend has closed its sending direction.
    func noteBackendEnd() {
        guard !clientHasLeft else { return }
        if toClient.received == 0, toBackend.received == 0, !watchesBackend {
            environment.noteFailure(.earlyClose, session: self, detail: "closed before any data was exchanged")
        } else if watchesBackend, case .opaque = stream, environment.configuration.routes[route].engine != .tcp {
            // Either a shutdown of a server whose messages cannot be read, or the end of an idle session.
            doubt()
        }
    }

    /// Whether the client has ended the session. A server may then close or reset the connection: PostgreSQL does not
    /// read the TLS closure alert after a Terminate message. That is not an error of the server, even if it is noticed
    /// before the client's end.
    var clientHasLeft: Bool { toBackend.sourceEnded || client.peerHasEnded }

    private func doubt() {
        if let alias = machine.alias { environment.observer.backendIsDoubtful(alias: alias) }
    }
}

/// Idle timeouts of an established session.
extension Session {
    /// Ends the session once it has been silent for too long.
    ///
    /// The deadline was set for the latest activity at that time. There may have been more activity since.
    func closeIfIdle() {
        guard let limit = silenceLimit else { return loop.setDeadline(nil, slot: slot) }
        let deadline = lastActivity &+ limit
        guard deadline <= loop.now else { return loop.setDeadline(deadline, slot: slot) }
        // Activity restarts the limit, so another check after the whole limit is early enough.
        if waitsForPeer { return loop.setDeadline(loop.now &+ limit, slot: slot) }
        if toClient.sourceEnded { return close(because: "the server has closed its connection") }
        let message = settings.idleTimeout.map { ": idle for \($0.inWords) (idle_timeout)" } ?? ""
        end(because: "\(environment.routes.routes[route].name)\(message)", as: .idle)
    }

    /// The time limit for silence, in nanoseconds; `nil` is no limit.
    private var silenceLimit: UInt64? {
        let idle = settings.idleTimeout?.nanoseconds
        guard toClient.sourceEnded else { return idle }
        return min(idle ?? .max, settings.halfCloseTimeout.nanoseconds)
    }

    /// Whether the client is not the cause of the silence: it waits for an answer or has not read all of it. The peer
    /// watch ends sessions whose peer is gone.
    private var waitsForPeer: Bool {
        if !toClient.pending.isEmpty || waitsForMemory { return true }
        return !toClient.sourceEnded && (stream.awaitsServer ?? clientSpokeLast)
    }

    /// The server has closed its sending direction. The session no longer holds connection slots.
    func serverEnded() {
        leavePlace()
        lastActivity = loop.now
        closeIfIdle()
    }
}
