import FailoverCore
import FailoverSystem
import Glibc

/// Finding a backend: everything until one has proven itself.
extension Session {
    /// A session that ends within its first second needs nobody to find out that its backend vanished, and most of
    /// those that clients open for one query do. So they are spared five system calls.
    private static let youth: UInt64 = 1_000_000_000
    /// What is read at once of either side before a backend serves: more than any opening needs.
    private static let openingReadSize = 16_384

    /// Does what the machine decided, and tells what it learned of backends.
    func advance(_ action: SessionStateMachine.Action) {
        leavePlaceOfOtherAlias()
        for report in machine.takeReports() { worker.note(report, session: self) }
        for news in machine.takeAddressNews() { worker.lineup.deadAddresses.note(news, now: loop.now) }
        switch action {
        case .wait(let deadline): wait(until: deadline)
        case .dial(let address, let deadline): dial(address, deadline: deadline)
        case .ask(let bytes, let deadline):
            waitForBackend(until: deadline)
            if !bytes.isEmpty { sendToBackend(bytes) }
        case .tell(let bytes, let deadline):
            wait(until: deadline)
            guard sendToClient(bytes) else { return close(because: "the client does not take its answer") }
            // It may have said the next thing already.
            advance(machine.clientSent([], now: loop.now))
        case .relay(let bytes): startRelay(bytes)
        case .refuse(let attempts):
            if waitsForAlias(attempts) { return }
            if let aliases = lastResort(attempts) { return advance(machine.tryAnyway(aliases, now: loop.now)) }
            refuse(worker.refusal(route: route, attempts: attempts))
        case .cancel(let bytes):
            leaveSource(isForgotten: true)
            cancel(bytes)
        case .farewell(let bytes): leave(saying: bytes)
        case .leave(let reason): close(because: reason)
        }
    }

    private func wait(until deadline: UInt64) {
        openingDeadline = deadline
        loop.setDeadline(deadline, slot: slot)
    }

    /// After a quarter of the time that a backend has, its monitor is asked to have a look: if it is dead, that is known
    /// so much earlier, to the sessions that it serves already too.
    private func waitForBackend(until deadline: UInt64) {
        openingDeadline = deadline
        let limits = settings.openingLimits
        loop.setDeadline(min(deadline, loop.now &+ min(limits.connect, limits.greeting) / 4), slot: slot)
    }

    func openingIsLate() {
        if isQueued { return queueIsLate() }
        if loop.now < openingDeadline {
            if let alias = machine.alias { worker.observer.backendIsDoubtful(alias: alias) }
            return loop.setDeadline(openingDeadline, slot: slot)
        }
        let action = machine.deadlinePassed(now: loop.now)
        if !machine.isRelaying { dropBackend() }
        advance(action)
    }

    /// The backend is of no use; the next one is tried.
    func backendFailed(_ failure: DialFailure) {
        dropBackend()
        advance(machine.failed(failure, now: loop.now))
    }

    private func dropBackend() {
        leaveBackend()
        toBackend.pending = PendingBytes()
    }

    private func dial(_ address: SocketAddress, deadline: UInt64) {
        guard takeRoutePlace() else { return }
        guard takePlace() else { return backendFailed(.full) }
        if let alias = machine.alias { movesOfAlias = worker.routes.aliases[alias].moves }
        toBackend.pending = PendingBytes()
        do {
            let descriptor = try Dialer.dial(address)
            try loop.watch(descriptor.raw, .session, slot: slot, side: .backend)
            backend = consume descriptor
            watchLogin()
            waitForBackend(until: deadline)
        } catch {
            backendFailed(.system(error.code))
        }
    }

    func readyWhileOpening(_ readiness: Readiness, side: Side) {
        switch side {
        case .client:
            waiting.formUnion(readiness)
            if !readiness.isDisjoint(with: isQueued ? .peerEnded : .broken) {
                return close(because: "the client left before it was served")
            }
            readClientWhileOpening()
        case .backend:
            if machine.isDialing {
                guard connected(readiness) else { return }
            } else if readiness.contains(.writable) {
                flush(to: .backend)
            }
            if !isClosed, !readiness.isDisjoint(with: [.readable, .peerEnded]) { readBackendWhileOpening() }
        }
    }

    private func connected(_ readiness: Readiness) -> Bool {
        if !readiness.isDisjoint(with: .broken), let code = backend?.pendingError, code != 0 {
            backendFailed(.system(code))
            return false
        }
        guard readiness.contains(.writable) else { return false }
        if let version = settings.sendProxy { sendToBackend(proxyHeader(version)) }
        advance(machine.connected(now: loop.now))
        return true
    }

    /// Gives the machine what the client says, as long as it wants to hear it.
    func readClientWhileOpening() {
        let interest: Readiness = [.readable, .peerEnded]
        while !isClosed, !isLeaving, !isQueued, !machine.isRelaying, machine.readsClient,
            !waiting.isDisjoint(with: interest)
        {
            switch client.receive(into: loop.readBuffer, atMost: Self.openingReadSize) {
            case .bytes(let count):
                let bytes = loop.readBuffer.copy(from: 0, to: count)
                toBackend.received &+= UInt64(count)
                advance(machine.clientSent(bytes, now: loop.now))
            case .wouldBlock: waiting.subtract(interest)
            case .ended: close(because: "the client left before it was served")
            case .failed(let code): close(because: "client: \(SystemError(code).words)")
            }
        }
    }

    private func readBackendWhileOpening() {
        while !isClosed, !isLeaving, backend != nil, !machine.isDialing {
            if machine.isRelaying { return relay(from: .backend, untilEnd: true) }
            switch backend?.receive(into: loop.readBuffer, atMost: Self.openingReadSize) {
            case .bytes(let count):
                let bytes = loop.readBuffer.copy(from: 0, to: count)
                if let login { bytes.withUnsafeBytes { login.state.serverSent($0) } }
                advance(machine.backendSent(bytes, now: loop.now))
                readClientWhileOpening()
            case .wouldBlock, nil: return
            case .ended: backendFailed(.closed)
            case .failed(let code): backendFailed(.system(code))
            }
        }
    }

    private func sendToBackend(_ bytes: [UInt8]) {
        guard toBackend.pending.isEmpty else {
            toBackend.pending.append(bytes)
            return
        }
        switch backend?.send(bytes) {
        case .bytes(let sent): toBackend.pending = PendingBytes(Array(bytes.dropFirst(sent)))
        case .wouldBlock: toBackend.pending = PendingBytes(bytes)
        // Reading tells how it ended.
        case .ended, .failed, nil: break
        }
    }

    /// - Returns: whether all of it went out: it is little, and nothing was sent before.
    private func sendToClient(_ bytes: [UInt8]) -> Bool { client.send(bytes) == .bytes(bytes.count) }

    /// Until the session has come of age or is idle for too long.
    func awaitAge() {
        loop.setDeadline(loop.now &+ min(Self.youth, settings.idleTimeout?.nanoseconds ?? .max), slot: slot)
    }

    private func startRelay(_ bytes: [UInt8]) {
        lastActivity = loop.now
        awaitLogin()
        awaitAge()
        if let alias = machine.aliasByStatement { worker.noteNeedsStatement(alias) }
        if machine.guardsByStatement {
            stream = .guardedPostgres(GuardedPostgres())
        } else if machine.isInClear {
            switch (worker.configuration.routes[route].engine, machine.guarding) {
            case (.mysql, let opaque?): stream = .guarded(GuardedMySQL(opaque: opaque))
            case (.mysql, nil): stream = .mysql(MySQLReader())
            case (.postgres, _), (.tcp, _): stream = .postgres(PostgresReader())
            }
        }
        leaveLastResort()
        worker.joinBalancer(self)
        awaitKey()
        worker.sessionServed(self)
        if machine.isUnguarded { worker.noteUnguarded(self) }
        if !bytes.isEmpty { passOpening(bytes) }
        if !isClosed, !waiting.isEmpty { relay(from: .client, untilEnd: !waiting.isDisjoint(with: .peerEnded)) }
    }
}
