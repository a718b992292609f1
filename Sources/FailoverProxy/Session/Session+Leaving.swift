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
    /// - Parameters:
    ///   - message: the text of the closing message.
    ///   - isMove: whether the session is at a point where it can be moved. What the client sends after that
    ///     is counted.
    func end(because message: String, as closingMessage: ClosingMessage = .moving, isMove: Bool = false) {
        movesSince = isMove ? movesSince ?? loop.now : nil
        guard toClient.pending.isEmpty, !toClient.sourceEnded else { return close(because: message) }
        if let bytes = stream.lastWords(message, as: closingMessage) { return leave(saying: bytes) }
        // Within TLS, an end without a closure alert is a failure of the stream.
        guard isMove || extras?.client?.isShakingHands == false else { return close(because: message) }
        environment.log.debug("session ends: \(message)", metadata: environment.metadata(of: self))
        leave(saying: [])
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
            guard sendToClient(bytes) else { return close(because: "the client does not read") }
            endSending(to: .client)
        }
        handshakeDeadline = loop.now &+ Self.longestGoodbye
        loop.setDeadline(loop.now &+ Self.lastReadTimeout, slot: slot)
        discardClient()
    }

    /// Reads and discards the client's bytes.
    func discardClient() {
        for turn in 0..<16 {
            switch client.receive(into: loop.readBuffer) {
            case .bytes(let count):
                noteDiscarded(count)
                if turn == 0 { loop.setDeadline(min(handshakeDeadline, loop.now &+ Self.lastReadTimeout), slot: slot) }
            case .wouldBlock: return
            case .ended, .failed: return close(because: "the closing message was sent")
            }
        }
        loop.resumeLater(slot: slot)
    }

    /// Counts a session that was moved although its client has sent a request: the request is lost.
    private func noteDiscarded(_ count: Int) {
        guard movesSince != nil else { return }
        // A farewell comes last, so only the first bytes matter.
        movesSince = nil
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(loop.readBuffer.bytes)[..<count])
        // Within TLS, the discarded bytes are records.
        if !Farewell.isOne(bytes, isReadable: stream.isReadable && extras?.client == nil) {
            environment.traffic.routes[route].bytesAfterClose += 1
        }
    }
}

/// The bytes by which a client ends its session.
enum Farewell {
    /// `Terminate` of PostgreSQL, `COM_QUIT` of MySQL.
    private static let longest = 5
    /// The same in a record of TLS: in TLS 1.3 with 17 more bytes, in TLS 1.2 with 24.
    private static let longestRecord = 29
    /// The same in a compressed packet.
    private static let longestCompressed = 12
    private static let (applicationData, alert): (UInt8, UInt8) = (23, 21)

    /// Whether the first bytes after the close are a farewell. A very short request in TLS looks like one.
    static func isOne(_ bytes: UnsafeRawBufferPointer, isReadable: Bool) -> Bool {
        if isReadable { return bytes.count <= longest }
        guard bytes.count >= 5 else { return true }
        return switch bytes[0] {
        case alert: true
        case applicationData: Int(bytes[3]) << 8 | Int(bytes[4]) <= longestRecord
        default: bytes.count <= longestCompressed
        }
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
        stream.isAtBoundary && toClient.pending.isEmpty && toBackend.pending.isEmpty && !hasMore(from: .client)
    }
}

// MARK: - When the server knows whether the session is at a boundary

extension Session {
    /// The number of bytes that were received from both sides.
    var bytesPassed: UInt64 { toBackend.received &+ toClient.received }

    /// Whether nothing is under way in the proxy, in either direction, and both sides are open.
    var isQuiet: Bool {
        guard toClient.pending.isEmpty, toBackend.pending.isEmpty, !toClient.sourceEnded, !toBackend.sourceEnded,
            extras?.login == nil, backend != nil, !hasMore(from: .client)
        else { return false }
        return !hasMore(from: .backend)
    }

    /// Whether the server's kernel has received all bytes that were sent to it.
    var serverHasAcknowledgedAll: Bool {
        guard let progress = backend?.peerProgress else { return false }
        return progress.unacknowledged == 0 && progress.unsent == 0
    }

    /// How the server that speaks this session's protocol lists it: the proxy's address and its own. `nil` without a
    /// server, through a Unix socket, for a server whose protocol is unknown, and for one that gets the client's
    /// address instead (`send_proxy`).
    var connection: (source: SocketAddress, server: SocketAddress)? {
        guard environment.configuration.routes[route].engine != .tcp, settings.sendProxy == nil,
            let source = backend?.localAddress,
            let server = backend?.peerAddress, !source.isUnix, !server.isUnix
        else { return nil }
        return (source, server)
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
        movesSince = nil
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
