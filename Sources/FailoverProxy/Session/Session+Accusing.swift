import FailoverCore
import FailoverSystem
import Glibc

/// Which endings of a session that is served accuse its server.
///
/// An accused server may get no new sessions for a while, so only such endings do as neither a client nor the ordinary
/// course of things can cause:
/// * It says that it shuts down, or that it had no place for the client. One such word may be about this session alone
///   (`pg_terminate_backend`); who is told decides by how many sessions have heard it.
/// * It resets the connection while it owes the answer to a request of a client that is logged in, in a stream that is
///   readable, and has said nothing of an error.
/// * Its host acknowledges nothing any more, or can't be reached, and the latest bytes were the client's.
/// * It closes a connection at once, before either side has said a word.
///
/// No other does: an idle session that is closed or reset (`idle_session_timeout`, `wait_timeout`), an error and the close
/// after it, a reset during a login or of an encrypted session, which a client's junk leads to. Where a server that dies
/// looks the same, it is worth a ping, and goes on serving meanwhile.
extension Session {
    /// The server has said something of itself.
    func noteWords(_ words: ServerWords) {
        if words.contains(.shutdown) {
            worker.noteFailure(.serverShutdown, session: self, detail: "it says that it shuts down")
        }
        if words.contains(.full) {
            worker.noteFailure(.tooManyConnections, session: self, detail: "it had no place for a client's login")
        }
    }

    /// The connection to the backend broke.
    ///
    /// - Parameter code: `errno`.
    func noteBackendError(_ code: Int32) {
        switch code {
        case ECONNRESET, EPIPE:
            if stream.owesAnswer, !toClient.sourceEnded {
                worker.noteFailure(.reset, session: self, detail: SystemError(code).words)
            } else if clientSpokeLast {
                doubt()
            }
        case ETIMEDOUT where clientSpokeLast:
            worker.noteFailure(.connectTimeout, session: self, detail: SystemError(code).words)
        case EHOSTUNREACH where clientSpokeLast, ENETUNREACH where clientSpokeLast:
            worker.noteFailure(.connectUnreachable, session: self, detail: SystemError(code).words)
        default: break
        }
    }

    /// A backend has ended its direction.
    func noteBackendEnd() {
        guard !clientHasLeft else { return }
        if toClient.received == 0, toBackend.received == 0, !watchesBackend {
            worker.noteFailure(.earlyClose, session: self, detail: "closed before anybody said anything")
        } else if watchesBackend, case .opaque = stream, worker.configuration.routes[route].engine != .tcp {
            // A shutdown of a server whose words can't be read, or an idle session's end.
            doubt()
        }
    }

    /// A server may close or reset a connection whose client has said goodbye: PostgreSQL does not read the end of TLS
    /// that follows a Terminate message. That is no error of the server, even if it is seen before the client's end.
    var clientHasLeft: Bool { toBackend.sourceEnded || client.peerHasEnded }

    private func doubt() {
        if let alias = machine.alias { worker.observer.backendIsDoubtful(alias: alias) }
    }
}
