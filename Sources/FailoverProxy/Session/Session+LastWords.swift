import FailoverCore
import FailoverSystem
import Logging

/// A server that takes no more may have said why.
extension Session {
    /// Bytes could not be sent. A server that takes no more may have said why, as MySQL does of a statement that is too
    /// long: that is read, to its end, before anything else happens.
    ///
    /// - Returns: Whether the other side is read on: what it still says has nowhere to go.
    @discardableResult
    func sendFailed(_ side: Side, code: Int32) -> Bool {
        guard side == .backend else {
            failed(side, code: code)
            return false
        }
        if toBackend.isUntracked { return true }
        toBackend.isUntracked = true
        toBackend.pending = PendingBytes()
        countHeldBytes()
        if toClient.sourceEnded {
            endAfterBackend(because: "backend: \(SystemError(code).words)")
        } else {
            relay(from: .backend, untilEnd: true)
        }
        return !isClosed && !isLeaving
    }

    /// The backend is gone. The client may be in the midst of sending: to close now would be a reset, which takes the
    /// server's last words with it.
    func endAfterBackend(because reason: String) {
        guard !isClosed, !isLeaving else { return }
        worker.log.debug("session loses its server: \(reason)", metadata: worker.metadata(of: self))
        leaveBackend()
        leavePlace()
        toBackend.pending = PendingBytes()
        toBackend.isUntracked = true
        countHeldBytes()
        guard !toClient.pending.isEmpty else { return leave(saying: []) }
        toClient.sourceEnded = true
        closeIfIdle()
    }
}

/// Why a session ends that is served, in the codes of its protocol.
enum Farewell {
    /// It is to come again: another server is better, or the present one is down.
    case moving
    /// The proxy ends.
    case shutdown
    /// Nothing was said for `idle_timeout`.
    case idle

    /// As PostgreSQL's error: 57P01 admin_shutdown, 57P05 idle_session_timeout.
    func postgresMessage(_ message: String) -> [UInt8] {
        let (sqlState, hint) =
            switch self {
            case .moving: ("57P01", "Connect again; the proxy chooses another server.")
            case .shutdown: ("57P01", "Connect again; the proxy is about to end.")
            case .idle: ("57P05", "The proxy's idle_timeout is reached.")
            }
        return PostgresErrorResponse(sqlState: sqlState, message: message, hint: hint).bytes
    }

    /// As MySQL's error: `ER_SERVER_SHUTDOWN`, `ER_CLIENT_INTERACTION_TIMEOUT`.
    func mysqlPacket(_ message: String, sequence: UInt8) -> [UInt8] {
        let (code, sqlState): (UInt16, String) =
            switch self {
            case .moving, .shutdown: (1053, "08S01")
            case .idle: (4031, "HY000")
            }
        return MySQLErrorPacket(code: code, sqlState: sqlState, message: message, sequence: sequence).bytes
    }
}
