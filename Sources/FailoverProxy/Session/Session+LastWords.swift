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
        if toBackend.isLost { return true }
        toBackend.isLost = true
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
        toBackend.isLost = true
        countHeldBytes()
        guard !toClient.pending.isEmpty else { return leave(saying: []) }
        toClient.sourceEnded = true
        closeIfIdle()
    }
}
