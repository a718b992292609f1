import FailoverCore

/// Finds the backend of a session: decides what to send to which side, which address of which alias to try next, and
/// what to do after each failure.
///
///                       ┌───────── failed, silent, refused: next candidate ────────┐
///                       ▼                                                          │
///     listening ──▶ dialing ──connected──▶ handshake ──proof──▶ relaying           │
///         ▲             ▲ │                 │ │ └──────────────────────────────────┘
///         └─ the client │ └─ none is left ──┤ │
///            is to speak┼───────────────────┘ └── none is left ──▶ refused
///                       └─ the last resort: aliases that are down ─┘
///
/// If the server sends first, the session begins with dialing.
struct SessionStateMachine {
    enum State {
        /// Waiting for the client. A backend may be connected.
        case listening
        case dialing(deadline: UInt64)
        /// Connected; not yet proven.
        case handshake
        case relaying(alias: Int)
        /// No alias is left, or none may be tried.
        case refused
    }

    var state = State.listening
    var handshake: Handshake
    var candidates: [RouteTable.Candidate]
    /// The indices of the current candidate and of its current address.
    var current = 0
    var address = 0
    /// The failure with the greatest weight among the alias's addresses so far; see `DialFailure.weight`.
    var addressFailure: DialFailure?
    let limits: Limits
    /// The time limits for the last candidate's answer, by alias: waiting longer is better than refusing.
    var lastAnswerLimits: [UInt64]
    var readOnlyGuard: ReadOnlyGuard?
    /// The alias that did not accept the start-up parameter that makes a session read-only.
    private(set) var aliasByStatement: Int?
    /// Whether a statement makes the served session read-only.
    private(set) var guardsByStatement = false
    /// The read-only policy of the served session, if its alias requires one; and whether the session is served
    /// without a guard.
    private(set) var guarding: SessionSettings.OpaquePolicy?
    private(set) var isUnguarded = false
    /// Failures so far, in order.
    private(set) var attempts: [Attempt] = []
    /// Failures not reported yet.
    var unreported: [Attempt] = []
    var addressNews: [AddressNews] = []
    /// Whether the traffic after the proof is in clear text.
    private(set) var isInClear = false
    /// Whether aliases that are down are being tried, or one of them serves.
    private(set) var isLastResort = false
    private var clientDeadline: UInt64 = 0
    /// The remaining time of the current alias for connection attempts and for answers, over all its addresses.
    var connectLeft: UInt64 = 0
    var answerLeft: UInt64 = 0
    /// The deadline for the backend's answer.
    var answerDeadline: UInt64?

    init(
        handshake: Handshake, candidates: [RouteTable.Candidate], limits: Limits, lastAnswerLimits: [UInt64] = [],
        readOnlyGuard: ReadOnlyGuard? = nil
    ) {
        self.handshake = handshake
        self.candidates = candidates
        self.limits = limits
        self.lastAnswerLimits = lastAnswerLimits
        self.readOnlyGuard = readOnlyGuard
    }
}

// MARK: - Events

extension SessionStateMachine {
    /// The session begins.
    mutating func start(now: UInt64) -> Action {
        clientDeadline = now &+ limits.clientStartup
        return follow(handshake.start(), now: now)
    }

    /// The session is refused regardless of the aliases' state.
    mutating func startRefused(_ refusal: Refusal, now: UInt64) -> Action {
        candidates = []
        return refused(refusal, now: now)
    }

    /// Replaces the candidates if no alias was tried yet.
    mutating func choose(_ candidates: [RouteTable.Candidate]) {
        guard hasTriedNobody else { return }
        self.candidates = candidates
        current = 0
    }

    /// The client has sent these bytes before a backend serves.
    mutating func clientSent(_ bytes: [UInt8], now: UInt64) -> Action { follow(handshake.clientSent(bytes), now: now) }

    /// The backend is connected.
    ///
    /// - Parameter encryption: whether the proxy encrypts the connection; `nil` if it does not.
    mutating func connected(encryption: ServerEncryption? = nil, now: UInt64) -> Action {
        spendOnConnecting(now: now)
        state = .handshake
        answerDeadline = nil
        let alias = candidates[current].alias
        let byStatement = alias == aliasByStatement || readOnlyGuard?.byStatement.contains(alias) == true
        return follow(
            handshake.connected(guarding: guardingOfCurrent, byStatement: byStatement, encryption: encryption), now: now
        )
    }

    /// TLS with one side is established, so that its next bytes are decrypted ones.
    mutating func secured(_ side: Side, now: UInt64) -> Action { follow(handshake.secured(side), now: now) }

    /// The backend has sent these bytes before it is proven.
    mutating func backendSent(_ bytes: [UInt8], now: UInt64) -> Action {
        follow(handshake.backendSent(bytes), now: now)
    }

    /// The connection attempt failed, or the backend failed before its proof.
    mutating func failed(_ failure: DialFailure, now: UInt64) -> Action {
        guard !isRelaying, current < candidates.count else { return .leave("\(failure)") }
        spendOnConnecting(now: now)
        if failure == .silent { spendOnAnswering() }
        noteAddress(failure)
        let next = handshake.backendLost()
        if failure.isOfTheAlias || addressFailure.map({ $0.weight <= failure.weight }) ?? true {
            addressFailure = failure
        }
        if next == .connect, !failure.isOfTheAlias, moveToNextAddress() { return dial(now: now) }
        pass(addressFailure ?? failure)
        return follow(next, now: now)
    }

    /// The deadline has passed.
    mutating func deadlinePassed(now: UInt64) -> Action {
        switch state {
        case .dialing: return failed(.timeout, now: now)
        case .handshake:
            if let step = handshake.answerIsLate() { return follow(step, now: now) }
            return failed(.silent, now: now)
        case .listening, .refused: return .leave("the client did not send its login in time")
        case .relaying: return .leave("time limit reached")
        }
    }

    /// No alias that is up can serve the session. Tries these aliases, which are down.
    mutating func tryAnyway(_ aliases: [RouteTable.Candidate], now: UInt64) -> Action {
        isLastResort = true
        candidates = aliases
        current = 0
        return dialCurrentAlias(now: now)
    }

    /// The session has been given a connection slot that it waited for. The search begins again with full time
    /// limits.
    ///
    /// - Parameters:
    ///   - alias: the alias of the slot, which is tried first if it is still a candidate; `nil` is none.
    ///   - candidates: the current candidates.
    mutating func placeFound(onAlias alias: Int?, _ candidates: [RouteTable.Candidate], now: UInt64) -> Action {
        self.candidates = candidates
        current = candidates.firstIndex { $0.alias == alias } ?? 0
        attempts = []
        clientDeadline = now &+ limits.clientStartup
        return dialCurrentAlias(now: now)
    }

    /// No alias can serve the session. Sends this refusal to the client.
    mutating func refused(_ refusal: Refusal, now: UInt64) -> Action {
        clientDeadline = now &+ min(limits.clientStartup, limits.refusal)
        let step = handshake.refuse(refusal)
        state = .refused
        return follow(step, now: now)
    }

    func mayBeClientsFault(_ failure: DialFailure) -> Bool {
        handshake.clientMayBeAtFault && failure.mayBeClientsFault
    }
}

// MARK: - Next steps

extension SessionStateMachine {
    private mutating func follow(_ step: HandshakeStep, now: UInt64) -> Action {
        switch step {
        case .awaitClient:
            rest()
            return .wait(deadline: clientDeadline)
        case .connect:
            return dialCurrentAlias(now: now)
        case .awaitBackend(let bytes):
            return ask(bytes, now: now)
        case .tellClient(let bytes):
            rest()
            return .tell(bytes, deadline: clientDeadline)
        case .secureClient(let answer, let received):
            rest()
            return .secureClient(answer, received: received, deadline: clientDeadline)
        case .secureServer:
            guard case .ask(_, let deadline) = ask([], now: now) else { return .leave("no server was asked") }
            return .secureServer(deadline: deadline)
        case .proven(let bytes):
            return serve(bytes)
        case .failed(let failure): return failed(failure, now: now)
        case .connectAgain:
            guard current < candidates.count else { return .leave("no server was tried") }
            aliasByStatement = candidates[current].alias
            connectLeft = limits.connect
            return dial(now: now)
        case .cancel(let bytes): return .cancel(bytes)
        case .closingMessage(let bytes):
            state = .refused
            return .closingMessage(bytes)
        case .leave(let reason):
            state = .refused
            return .leave(reason)
        }
    }

    /// Waits for the client.
    private mutating func rest() {
        answerDeadline = nil
        if case .refused = state { return }
        state = .listening
    }

    private mutating func serve(_ bytes: [UInt8]) -> Action {
        guard current < candidates.count else { return .leave("no server was tried") }
        noteThatAddressServes()
        isInClear = handshake.isInClear
        guarding = guardingOfCurrent
        if case .postgres(let handshake) = handshake, guarding != nil {
            guardsByStatement = handshake.guardsByStatement
        }
        isUnguarded = guarding != nil && handshake.isEncrypted
        state = .relaying(alias: candidates[current].alias)
        // The state for the next candidate is no longer needed. An idle session must not hold memory for it.
        candidates = []
        lastAnswerLimits = []
        handshake = .tcp
        return .relay(bytes)
    }

    private mutating func dialCurrentAlias(now: UInt64) -> Action {
        while current < candidates.count {
            if guardingOfCurrent == .refuse, handshake.isEncrypted {
                pass(.unguardable(ReadOnlyGuard.whyEncrypted))
            } else if candidates[current].addresses.isEmpty {
                pass(.unresolved)
            } else {
                return dialFirstAddress(now: now)
            }
        }
        return .refuse(attempts)
    }

    private var guardingOfCurrent: SessionSettings.OpaquePolicy? {
        guard let readOnlyGuard, current < candidates.count,
            readOnlyGuard.aliases.contains(candidates[current].alias)
        else { return nil }
        return readOnlyGuard.opaque
    }

    /// The current alias has failed.
    private mutating func pass(_ failure: DialFailure) {
        let attempt = Attempt(alias: candidates[current].alias, failure: failure)
        attempts.append(attempt)
        // A server that closes while it waits for the client may only have reached its own time limit. It is not
        // reported.
        if case .listening = state, mayBeClientsFault(failure) {} else { unreported.append(attempt) }
        current += 1
    }
}
