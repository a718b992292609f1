import FailoverCore
import FailoverSystem
import Glibc
import Logging

/// Ends sessions for reasons other than the client's.
extension Session {
    /// How long a client that sends nothing more may take to read the closing message.
    private static let lastReadTimeout: UInt64 = 1_000_000_000
    /// How long a client may continue to send after the closing message.
    private static let longestGoodbye: UInt64 = 10_000_000_000

    /// Ends an established session, with a closing message where the protocol allows one.
    ///
    /// - Parameter message: the text of the closing message.
    func end(because message: String, as closingMessage: ClosingMessage = .moving) {
        guard toClient.pending.isEmpty, !toClient.sourceEnded, let bytes = stream.lastWords(message, as: closingMessage)
        else { return close(because: message) }
        leave(saying: bytes)
    }

    /// Sends the closing message and waits until the client has read it. Closing a socket with unread bytes would
    /// send a reset, and the message would be lost.
    func leave(saying bytes: [UInt8]) {
        guard !isLeaving, !isClosed else { return }
        isLeaving = true
        leaveBackend()
        leavePlace()
        // A client whose direction is already closed gets no message.
        if !toClient.isFinished {
            guard client.send(bytes) == .bytes(bytes.count) else { return close(because: "the client does not read") }
            client.endSending()
        }
        handshakeDeadline = loop.now &+ Self.longestGoodbye
        loop.setDeadline(loop.now &+ Self.lastReadTimeout, slot: slot)
        discardClient()
    }

    /// Reads and discards the client's bytes.
    func discardClient() {
        for turn in 0..<16 {
            switch client.receive(into: loop.readBuffer) {
            case .bytes:
                if turn == 0 { loop.setDeadline(min(handshakeDeadline, loop.now &+ Self.lastReadTimeout), slot: slot) }
            case .wouldBlock: return
            case .ended, .failed: return close(because: "the closing message was sent")
            }
        }
        loop.resumeLater(slot: slot)
    }
}

// MARK: - When the process ends

extension Session {
    /// Ends the session, with a closing message where the protocol allows one.
    func shutDown() {
        let message = "\(environment.routes.routes[route].name): the proxy shuts down"
        guard !machine.isRelaying else { return end(because: message, as: .shutdown) }
        guard !isLeaving, !machine.isRefused else { return }
        leaveLines()
        leaveBackend()
        refuse(Refusal(kind: .closed, message: message))
    }
}

// MARK: - When the route changes

extension Session {
    /// Chooses the candidates again, from the current routes, for a client that has not needed a server yet.
    func chooseAgain() {
        guard machine.hasTriedNobody, backend == nil, !isQueued, !isLeaving else { return }
        machine.choose(currentCandidates())
    }

    /// Chooses the candidates from the current routes, and sets the read-only guard for them.
    func currentCandidates() -> [RouteTable.Candidate] {
        share = share?.moved(to: nil)
        let (candidates, share) = environment.candidates(ofRoute: route)
        self.share = share
        machine.readOnlyGuard = environment.readOnlyGuard(ofRoute: route)
        return candidates
    }

    /// The alias that serves the session, or is being tried, is down.
    func aliasIsDown(_ message: @autoclosure () -> String) {
        guard !isLeaving else { return }
        if machine.isRelaying {
            if settings.onOutage == .close { end(because: message()) }
        } else if backend != nil {
            backendFailed(.down)
        }
    }

    /// Whether the session can be ended without loss: it is at a transaction boundary, and no bytes of the client
    /// wait to be read.
    var canMove: Bool {
        stream.isAtBoundary && toClient.pending.isEmpty && toBackend.pending.isEmpty && !client.hasMore
    }
}

extension Session {
    /// What decides whether the session may be ended now; `nil` if it does not have to move.
    var movingMoment: DrainEligibility? {
        movesSince.map {
            DrainEligibility(
                now: loop.now, since: $0, lastActivity: lastActivity, startedAt: startedAt,
                grace: settings.drainGrace.nanoseconds)
        }
    }
}

/// Failures while bytes are sent or received.
extension Session {
    /// Bytes could not be sent. A server that accepts no more data may have sent the reason, as MySQL does for a
    /// statement that is too long. So all its bytes are read before anything else happens.
    ///
    /// - Returns: whether to continue reading from the other side. Its further bytes are discarded.
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
            endAfterBackend(because: "backend: \(SystemError(code).message)")
        } else {
            relay(from: .backend, untilEnd: true)
        }
        return !isClosed && !isLeaving
    }

    /// The backend is gone. The client may still be sending: closing now would send a reset, and the server's last
    /// message would be lost.
    func endAfterBackend(because reason: String) {
        guard !isClosed, !isLeaving else { return }
        environment.log.debug("session lost its server: \(reason)", metadata: environment.metadata(of: self))
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
