import FailoverCore
import FailoverSystem
import Glibc

/// The search for a backend, up to the proof that one serves.
extension Session {
    /// The kernel does not have to watch the backend of a session that ends within its first second, as most sessions
    /// with only one query do. This saves five system calls for each of them.
    private static let minimumAge: UInt64 = 1_000_000_000
    /// The read size for either side before a backend serves. It is more than any handshake needs.
    private static let handshakeReadSize = 16_384

    /// Performs the machine's decision and reports what it learned about backends.
    func advance(_ action: SessionStateMachine.Action) {
        leavePlaceOfOtherAlias()
        for report in machine.takeReports() { environment.note(report, session: self) }
        for news in machine.takeAddressNews() { environment.snapshot.deadAddresses.note(news, now: loop.now) }
        switch action {
        case .wait(let deadline): wait(until: deadline)
        case .dial(let address, let deadline): dial(address, deadline: deadline)
        case .ask(let bytes, let deadline):
            waitForBackend(until: deadline)
            if !bytes.isEmpty { sendToBackend(bytes) }
        case .tell(let bytes, let deadline):
            wait(until: deadline)
            guard sendToClient(bytes) else { return close(because: "the client does not read its answer") }
            // The client's next bytes may have arrived already.
            advance(machine.clientSent([], now: loop.now))
        case .secureClient(let answer, let received, let deadline):
            wait(until: deadline)
            secureClient(answer, received: received)
        case .secureServer(let deadline):
            waitForBackend(until: deadline)
            secureServer()
        case .relay(let bytes): startRelay(bytes)
        case .refuse(let attempts):
            if waitsForAlias(attempts) { return }
            if let aliases = lastResort(attempts) { return advance(machine.tryAnyway(aliases, now: loop.now)) }
            refuse(environment.refusal(route: route, attempts: attempts))
        case .cancel(let bytes):
            leaveSource(isForgotten: true)
            cancel(bytes)
        case .closingMessage(let bytes): leave(saying: bytes)
        case .leave(let reason): close(because: reason)
        }
    }

    private func wait(until deadline: UInt64) {
        handshakeDeadline = deadline
        loop.setDeadline(deadline, slot: slot)
    }

    /// After a quarter of the backend's time limit, a ping of the backend is requested. If the backend is dead, this is
    /// then known earlier, which also helps the sessions that it already serves.
    private func waitForBackend(until deadline: UInt64) {
        handshakeDeadline = deadline
        let limits = settings.handshakeLimits
        loop.setDeadline(min(deadline, loop.now &+ min(limits.connect, limits.greeting) / 4), slot: slot)
    }

    func handshakeIsLate() {
        if isQueued { return queueIsLate() }
        if loop.now < handshakeDeadline {
            if let alias = machine.alias { environment.observer.backendIsDoubtful(alias: alias) }
            return loop.setDeadline(handshakeDeadline, slot: slot)
        }
        let action = machine.deadlinePassed(now: loop.now)
        if !machine.isRelaying { dropBackend() }
        advance(action)
    }

    /// The backend failed. Tries the next one.
    func backendFailed(_ failure: DialFailure) {
        dropBackend()
        advance(machine.failed(failure, now: loop.now))
    }

    private func dropBackend() {
        leaveBackend()
        dropPending()
    }

    private func dial(_ address: SocketAddress, deadline: UInt64) {
        guard takeRoutePlace() else { return }
        guard takePlace() else { return backendFailed(.full) }
        let tls = currentServerTLS
        if tls != nil, !machine.isLastCandidate, let alias = machine.alias,
            let failure = environment.recentTLSFailure(ofAlias: alias)
        {
            return backendFailed(.encryption("TLS: \(failure)"))
        }
        if let alias = machine.alias { movesOfAlias = environment.routes.aliases[alias].moves }
        // The machine connects to the same backend once more without a failure. TLS ends with the former connection.
        dropBackend()
        do {
            let descriptor = try Dialer.dial(address)
            try loop.watch(descriptor.raw, .session, slot: slot, side: .backend)
            backend = consume descriptor
            keepServerTLS(tls)
            watchLogin()
            waitForBackend(until: deadline)
        } catch {
            backendFailed(.system(error.code))
        }
    }

    func readyInHandshake(_ readiness: Readiness, side: Side) {
        switch side {
        case .client:
            waiting.formUnion(readiness)
            if !readiness.isDisjoint(with: isQueued ? .peerEnded : .broken) {
                return close(because: "the client closed the connection before it was served")
            }
            readClientInHandshake()
        case .backend:
            if machine.isDialing {
                guard connected(readiness) else { return }
            } else if isShakingHands(with: .backend) {
                return shakeHands(with: .backend)
            } else if readiness.contains(.writable) {
                flush(to: .backend)
            }
            if !isClosed, !readiness.isDisjoint(with: [.readable, .peerEnded]) { readBackendInHandshake() }
        }
    }

    private func connected(_ readiness: Readiness) -> Bool {
        if !readiness.isDisjoint(with: .broken), let code = backend?.pendingError, code != 0 {
            backendFailed(.system(code))
            return false
        }
        guard readiness.contains(.writable) else { return false }
        if let version = settings.sendProxy { sendToBackend(proxyHeader(version)) }
        advance(machine.connected(encryption: serverTLS.map { $0.isRequired ? .required : .preferred }, now: loop.now))
        return true
    }

    /// Passes the client's bytes to the machine while the machine wants them.
    func readClientInHandshake() {
        if isShakingHands(with: .client) { return shakeHands(with: .client) }
        let interest: Readiness = [.readable, .peerEnded]
        while !isClosed, !isLeaving, !isQueued, !machine.isRelaying, machine.readsClient,
            !waiting.isDisjoint(with: interest)
        {
            switch receive(from: .client, atMost: Self.handshakeReadSize) {
            case .bytes(let count):
                let bytes = loop.readBuffer.copy(from: 0, to: count)
                toBackend.received &+= UInt64(count)
                advance(machine.clientSent(bytes, now: loop.now))
            case .wouldBlock: waiting.subtract(interest)
            case .ended: close(because: "the client closed the connection before it was served")
            case .failed(let code): close(because: "client: \(SystemError(code).message)")
            }
        }
    }

    func readBackendInHandshake() {
        while !isClosed, !isLeaving, backend != nil, !machine.isDialing {
            if machine.isRelaying { return relay(from: .backend, untilEnd: true) }
            if isShakingHands(with: .backend) { return }
            switch receive(from: .backend, atMost: Self.handshakeReadSize) {
            case .bytes(let count):
                let bytes = loop.readBuffer.copy(from: 0, to: count)
                if let login = extras?.login { bytes.withUnsafeBytes { login.state.serverSent($0) } }
                if extras?.login?.state.isViolated == true {
                    backendFailed(.malformed("bytes after the greeting, before the login"))
                    continue
                }
                advance(machine.backendSent(bytes, now: loop.now))
                readClientInHandshake()
            case .wouldBlock: return
            case .ended: backendFailed(.closed)
            case .failed(let code): backendFailed(.system(code))
            }
        }
    }

    /// Reads what TLS has received already, after it has paused. No event announces these bytes.
    func resumeReadingInHandshake() {
        if mayHaveMore(from: .client) {
            waiting.formUnion(.readable)
            readClientInHandshake()
        }
        if !isClosed, !isLeaving, mayHaveMore(from: .backend) { readBackendInHandshake() }
    }

    private func sendToBackend(_ bytes: [UInt8]) {
        // If sending fails, reading returns the cause.
        _ = deliver(bytes, to: .backend)
    }

    /// Drops the bytes that are buffered for a failed backend.
    private func dropPending() {
        toBackend.pending = PendingBytes()
        countHeldBytes()
    }

    /// - Returns: whether all bytes were sent. There are only a few bytes, and nothing was sent before them.
    func sendToClient(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { send($0, to: .client) } == .bytes(bytes.count)
    }

    /// Sets the deadline at which the session reaches its minimum age or its idle timeout.
    func awaitAge() {
        loop.setDeadline(loop.now &+ min(Self.minimumAge, settings.idleTimeout?.nanoseconds ?? .max), slot: slot)
    }

    private func startRelay(_ bytes: [UInt8]) {
        lastActivity = loop.now
        awaitLogin()
        awaitAge()
        if let alias = machine.aliasByStatement { environment.noteNeedsStatement(alias) }
        if machine.guardsByStatement {
            stream = .guardedPostgres(GuardedPostgres())
        } else if machine.isInClear {
            switch (environment.configuration.routes[route].engine, machine.guarding) {
            case (.mysql, let opaque?): stream = .guarded(GuardedMySQL(opaque: opaque))
            case (.mysql, nil): stream = .mysql(MySQLReader())
            case (.postgres, _), (.tcp, _): stream = .postgres(PostgresReader())
            }
        }
        leaveLastResort()
        environment.joinBalancer(self)
        awaitKey()
        environment.sessionServed(self)
        if machine.isUnguarded { environment.noteUnguarded(self) }
        if !bytes.isEmpty { passFirstBytes(bytes) }
        if !isClosed, !waiting.isEmpty { relay(from: .client, untilEnd: !waiting.isDisjoint(with: .peerEnded)) }
    }
}
