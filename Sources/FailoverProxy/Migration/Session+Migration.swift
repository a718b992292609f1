import FailoverCore
import FailoverSystem
import Logging

/// A session that goes on with another server, while its client waits.
extension Session {
    /// What another server would have to know; `nil` if the session cannot migrate at all.
    var record: PostgresRecord? {
        guard case .postgres = stream else { return nil }
        return extras?.record
    }

    /// Why the session cannot go on with another server; `nil` if it can, or if sessions of its route never do.
    var pinned: PinnedReason? {
        guard settings.migrates, machine.isRelaying else { return nil }
        return record.map { $0.pinned(isAsked: false) } ?? .unreadable
    }

    /// Whether the session is on its way to another server.
    var isMigrating: Bool { extras?.migration != nil }

    /// Begins to note what another server would have to know, if the route's sessions migrate.
    ///
    /// - Parameter handshake: how the session has begun.
    func keepRecord(_ handshake: Handshake) {
        guard settings.migrates, case .postgres = stream, case .postgres(let handshake) = handshake,
            // A session that replicates has more state.
            PostgresStartup.value(of: "replication", in: handshake.startup) == nil
        else { return }
        if extras == nil { extras = SessionExtras() }
        extras?.record = PostgresRecord(startup: handshake.startup)
    }

    /// Whether the session may go on with another server once its own has told its state.
    var mayMigrate: Bool {
        guard let record, !isMigrating else { return false }
        return record.pinned(isAsked: true) == nil && !record.isResting(at: loop.now)
    }

    /// Leaves the server, which lives and has answered all requests, for a better one.
    ///
    /// - Parameter reason: why it must leave.
    func migrate(because reason: String) {
        askForState(SessionMigration(began: loop.now, reason: reason))
    }

    /// Asks the server for the session's state, because something went by that may have changed it.
    func askForState() { askForState(SessionMigration(began: loop.now, reason: "", leaves: false)) }

    private func askForState(_ migration: SessionMigration) {
        guard let record, canMove else { return }
        // The kernel notices a server that does not answer.
        watchPeers()
        guard !isClosed, !isLeaving else { return }
        migration.question = PostgresStateQuestion(user: PostgresStartup.user(of: record.startup) ?? "")
        migration.lastActivity = lastActivity
        extras?.migration = migration
        toBackend.isHeld = true
        loop.setDeadline(loop.now &+ settings.handshakeLimits.greeting, slot: slot)
        _ = send(PostgresStateQuestion.bytes, to: .backend)
    }

    /// The server has lost the session, or is down.
    ///
    /// - Returns: whether the session goes on with another server. Otherwise nothing has changed.
    func migrateFromLostServer(because reason: String) -> Bool {
        if extras?.migration?.awaitsTurn == true { return true }
        guard settings.onOutage == .migrate, let record, !clientHasLeft, toClient.pending.isEmpty,
            !toClient.sourceEnded
        else { return false }
        // A session that was being asked is at a boundary, and has changed nothing since.
        let wasAsked = extras?.migration?.question != nil
        guard wasAsked || stream.isAtBoundary, record.pinned(isAsked: false) == nil else { return false }
        let migration = SessionMigration(began: loop.now, reason: reason)
        migration.awaitsTurn = true
        extras?.migration = migration
        toBackend.isHeld = true
        toBackend.pending = PendingBytes()
        countHeldBytes()
        forgetKey()
        leaveBackend()
        loop.setDeadline(nil, slot: slot)
        environment.mover?.awaitTurn(self)
        return true
    }

    /// The connection to the server has ended, or has failed.
    ///
    /// - Returns: whether the session goes on with another server, or has ended. Otherwise nothing has changed.
    func losesServer(because reason: String) -> Bool {
        let wasAsked = isBeingAsked
        if migrateFromLostServer(because: reason) { return true }
        guard wasAsked else { return false }
        // The client must not wait for an answer that does not come.
        extras?.migration = nil
        toBackend.isHeld = false
        end(because: "\(environment.routes.routes[route].name): \(reason)")
        return true
    }

    /// Whether it waits for its turn to search another server.
    var awaitsServer: Bool { extras?.migration?.awaitsTurn == true }

    /// It is the turn of a session whose server is gone.
    func takeTurn() {
        guard let migration = extras?.migration, migration.awaitsTurn, let record else { return }
        migration.awaitsTurn = false
        search(record, currentCandidates())
    }

    private func search(_ record: PostgresRecord, _ candidates: [RouteTable.Candidate]) {
        let handshake = PostgresMigration(
            startup: record.startup, state: record.state, unnamed: record.unnamed,
            termination: environment.configuration.routes[route].clientEncryption)
        advance(
            machine.migrate(
                handshake, to: candidates, lastAnswerLimits: environment.snapshot.lastAnswerLimits, now: loop.now))
    }
}

// MARK: - The server says that it leaves

extension Session {
    /// A server that shuts down says so to a session that waits for nothing. The client need not know it if another
    /// server takes the session.
    ///
    /// - Returns: whether the session leaves the server.
    func withholdsFarewell(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let headSize = 5
        guard settings.onOutage == .migrate, stream.isAtBoundary, bytes.first == UInt8(ascii: "E"),
            let error = PostgresErrorResponse(body: bytes.dropFirst(headSize).prefix(1024)),
            ServerError(sqlState: error.sqlState) == .shuttingDown
        else { return false }
        guard migrateFromLostServer(because: error.message) else { return false }
        noteSigns(.shutdown)
        return true
    }
}

// MARK: - The server is asked for the session's state

extension Session {
    /// Whether the server is being asked, so that its bytes are not the client's.
    var isBeingAsked: Bool { extras?.migration?.question != nil }

    /// Takes the server's answer.
    ///
    /// - Returns: whether to continue reading from the server.
    func followQuestion(_ count: Int) -> Bool {
        guard let migration = extras?.migration else { return false }
        // The answer is not the client's activity.
        lastActivity = migration.lastActivity
        let received = loop.readBuffer.copy(from: 0, to: count)
        guard let (outcome, toClient) = migration.question?.serverSent(received) else { return false }
        guard send(toClient, to: .client) else { return false }
        switch outcome {
        case nil: return true
        case .known(let state):
            record?.learn(state)
            if migration.leaves, state.pinned == nil { return leaveForBetter(migration) }
            stay()
        case .refused(let message):
            record?.learn(PostgresState(pinned: .unknown))
            record?.rest(until: loop.now &+ Self.retryAfter)
            environment.log.debug(
                "the server does not tell the session's state: \(message)", metadata: environment.metadata(of: self))
            stay()
        case .broken: end(because: "the server's answer to the question for the session's state is not one")
        }
        return !isClosed && !isLeaving
    }

    /// The server has not told the state in time. Its answer may still come, so the client has to wait for it.
    func questionIsLate() {
        extras?.migration?.patience -= 1
        guard extras?.migration?.patience ?? 0 > 0 else {
            if !losesServer(because: "the server does not answer") { stay() }
            return
        }
        if let alias = machine.alias { environment.observer.backendIsDoubtful(alias: alias) }
        loop.setDeadline(loop.now &+ settings.handshakeLimits.greeting, slot: slot)
    }

    /// The session goes on with the server that it has.
    private func stay() {
        extras?.migration = nil
        toBackend.isHeld = false
        resumeRelaying()
    }

    private func resumeRelaying() {
        if watchesBackend { closeIfIdle() } else { awaitAge() }
        loop.resumeLater(slot: slot)
    }
}

// MARK: - From one server to the other

extension Session {
    /// Searches a better server. The former one is kept until then.
    ///
    /// - Returns: whether the session stays.
    private func leaveForBetter(_ migration: SessionMigration) -> Bool {
        migration.question = nil
        guard let record, let alias = machine.alias, backend != nil else { return false }
        let better = environment.mover?.destinations(of: self, currentCandidates()) ?? []
        guard !better.isEmpty, let connection = backend.take() else {
            share = share?.moved(to: alias)
            record.rest(until: loop.now &+ Self.retryAfter)
            stay()
            return true
        }
        loop.unwatch(connection.raw)
        let key = key
        let movedKey: MovedKey? = if case .moved(let own) = key { environment.registry.cancelKeys.moved(own) } else { nil }
        forgetKey()
        migration.former = FormerServer(
            connection, tls: extras?.backend, alias: alias, place: placeOnAlias, moves: movesOfAlias, key: key,
            movedKey: movedKey, isWatched: watchesBackend,
            falls: environment.routes.aliases[alias].falls)
        extras?.backend = nil
        placeOnAlias = nil
        watchesBackend = false
        search(record, better)
        return false
    }

    /// Another server has taken the session.
    ///
    /// - Parameters:
    ///   - parameters: messages for the client.
    ///   - handshake: what the server has said.
    func migrated(_ parameters: [UInt8], _ handshake: Handshake) {
        guard let migration = extras?.migration, let record, case .migration(let exchange) = handshake,
            let alias = machine.alias
        else { return close(because: "a migration that had not begun") }
        leaveFormerServer()
        extras?.migration = nil
        extras?.serverTLS = nil
        movesSince = nil
        (toBackend.isHeld, toBackend.isUntracked, toClient.sourceEnded) = (false, false, false)
        watchesBackend = false
        lastActivity = loop.now
        record.isGuardedByStatement = exchange.isGuardedByStatement
        if record.key.isEmpty {
            environment.registry.cancelKeys.addKeyless(1, alias: alias)
            key = .unknown
        } else {
            environment.registry.cancelKeys.move(record.key, to: alias, exchange.key)
            key = .moved(record.key)
        }
        environment.noteMigrated(self, after: loop.now &- migration.began)
        environment.joinBalancer(self)
        guard send(parameters, to: .client) else { return }
        awaitAge()
        environment.sessionServed(self)
        guard !isClosed, !isLeaving, machine.isRelaying else { return }
        loop.resumeLater(slot: slot)
    }

    /// No other server has taken the session.
    func migrationFailed(_ attempts: [SessionStateMachine.Attempt]) {
        guard let migration = extras?.migration else { return }
        let why = attempts.map { "\(environment.routes.aliases[$0.alias].name): \($0.failure)" }
        environment.noteNotMigrated(self, because: why.joined(separator: "; "))
        leaveBackend()
        leavePlaceOnAlias()
        extras?.migration = nil
        guard let former = migration.former, let connection = former.takeConnection() else {
            // The machine has no server that it could name.
            machine.stay(onAlias: attempts.last?.alias ?? 0)
            return end(because: migration.reason)
        }
        machine.stay(onAlias: former.alias)
        (placeOnAlias, movesOfAlias, watchesBackend) = (former.place, former.moves, former.isWatched)
        if former.tls != nil { extras?.backend = former.tls }
        restoreKey(of: former)
        do {
            try loop.watch(connection.raw, .session, slot: slot, side: .backend)
            backend = consume connection
        } catch {
            return close(because: "\(error)")
        }
        record?.rest(until: loop.now &+ Self.retryAfter)
        environment.joinBalancer(self)
        isToBeWatched = true
        // Nobody has looked at the former alias in the meantime.
        let alias = environment.routes.aliases[former.alias]
        if alias.failure != nil || alias.falls != former.falls || alias.moves != former.moves {
            toBackend.isHeld = false
            aliasIsDown(migration.reason)
            guard !isClosed, !isLeaving, !isMigrating else { return }
        }
        toBackend.isHeld = false
        resumeRelaying()
    }

    private func restoreKey(of former: FormerServer) {
        key = former.key
        let keys = environment.registry.cancelKeys
        switch former.key {
        case .absent: break
        case .unknown: keys.addKeyless(1, alias: former.alias)
        case .known(let key): keys.insert(key, alias: former.alias)
        case .moved(let own): if let moved = former.movedKey { keys.move(own, to: moved.alias, moved.key) }
        }
    }

    /// How long a session stays with its server after no other one has taken it, in nanoseconds.
    private static let retryAfter: UInt64 = 5_000_000_000

    /// Ends what is left at the server that the session has left.
    func leaveFormerServer() {
        guard let former = extras?.migration?.former else { return }
        former.leave()
        if let place = former.place { environment.snapshot.aliasConnectionLimits[place].leave() }
        extras?.migration?.former = nil
    }
}
