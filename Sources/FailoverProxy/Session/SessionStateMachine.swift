import FailoverCore

/// How a session finds its backend: what is said to whom, which address of which alias is tried next, and what follows
/// from each failure.
///
///                       ┌───────── failed, silent, refused: next candidate ────────┐
///                       ▼                                                          │
///     listening ──▶ dialing ──connected──▶ opening ──proof──▶ relaying             │
///         ▲             │                   │ │ └──────────────────────────────────┘
///         └─── the client is to speak ──────┘ └── no candidate left ──▶ refused
///
/// An engine whose server speaks first begins with dialing.
struct SessionStateMachine {
    enum Action: Equatable {
        /// Wait; when the deadline passes first, call ``SessionStateMachine/deadlinePassed(now:)``.
        case wait(deadline: UInt64)
        /// Connect to this address.
        case dial(SocketAddress, deadline: UInt64)
        /// Send this to the backend, if there is anything, and wait for its answer.
        case ask([UInt8], deadline: UInt64)
        /// Send this to the client and wait for what it says to that.
        case tell([UInt8], deadline: UInt64)
        /// Send this to the client, which the backend said, and pass bytes from now on.
        case relay([UInt8])
        /// No alias is left: ``SessionStateMachine/refused(_:now:)`` takes the words for it.
        case refuse([Attempt])
        /// Send this to every backend that may know the query.
        case cancel([UInt8])
        /// Send this to the client and close.
        case farewell([UInt8])
        /// Close.
        case leave(String)
    }

    /// What became of one alias.
    struct Attempt: Equatable {
        let alias: Int
        let failure: DialFailure
    }

    /// The limits of finding a backend, in nanoseconds.
    struct Limits: Equatable {
        /// For the connection to one alias, over all its addresses.
        var connect: UInt64
        /// For a backend's answer to what it was told, and for its greeting.
        var greeting: UInt64
        /// For all that the client has to say before a backend serves it.
        var clientStartup: UInt64
    }

    private enum State {
        /// The client is to speak; a backend may be connected.
        case listening
        case dialing(deadline: UInt64)
        /// Connected; not yet proven.
        case opening
        case relaying(alias: Int)
        /// No alias is left, or none was to be asked.
        case refused
    }

    private var state = State.listening
    private var opening: Opening
    private var candidates: [RouteTable.Candidate]
    /// The candidate and which of its addresses.
    private var current = 0
    private var address = 0
    private let limits: Limits
    private let readOnlyGuard: ReadOnlyGuard?
    /// What keeps the session that is served from writing, if anything is to; and whether nothing can.
    private(set) var guarding: SessionSettings.OpaquePolicy?
    private(set) var isUnguarded = false
    /// Failures so far, in order.
    private(set) var attempts: [Attempt] = []
    /// Those that the backends may have to answer for.
    private var unreported: [Attempt] = []
    /// Whether what passes after the proof can be read.
    private(set) var isInClear = false
    private var clientDeadline: UInt64 = 0
    /// When the current alias must have been connected, over all its addresses.
    private var aliasDeadline: UInt64 = 0
    /// When the backend must have answered what it was told.
    private var answerDeadline: UInt64?

    init(
        opening: Opening, candidates: [RouteTable.Candidate], limits: Limits, readOnlyGuard: ReadOnlyGuard? = nil
    ) {
        self.opening = opening
        self.candidates = candidates
        self.limits = limits
        self.readOnlyGuard = readOnlyGuard
    }

    /// The alias that is tried or serves.
    var alias: Int? {
        if case .relaying(let alias) = state { return alias }
        return current < candidates.count ? candidates[current].alias : nil
    }

    /// Whether a backend serves the session.
    var isRelaying: Bool {
        if case .relaying = state { true } else { false }
    }

    /// Whether the connection to a backend is under way.
    var isDialing: Bool {
        if case .dialing = state { true } else { false }
    }

    /// Whether the session gave way because an alias was full, not because it was unwell.
    var gaveWay: Bool { attempts.contains { $0.failure.isForLackOfRoom } }

    /// Whether the client's bytes are wanted before a backend serves.
    var readsClient: Bool { opening.readsClient }
}

// MARK: - Events

extension SessionStateMachine {
    /// The session begins.
    mutating func start(now: UInt64) -> Action {
        clientDeadline = now &+ limits.clientStartup
        return follow(opening.start(), now: now)
    }

    /// The session must not be served, whatever is up.
    mutating func startRefused(_ refusal: Refusal, now: UInt64) -> Action {
        clientDeadline = now &+ limits.clientStartup
        candidates = []
        return refused(refusal, now: now)
    }

    /// The client's next bytes, before a backend serves.
    mutating func clientSent(_ bytes: [UInt8], now: UInt64) -> Action { follow(opening.clientSent(bytes), now: now) }

    /// The connection stands.
    mutating func connected(now: UInt64) -> Action {
        state = .opening
        answerDeadline = nil
        return follow(opening.connected(guarding: guardingOfCurrent), now: now)
    }

    /// The backend's next bytes, before it is proven.
    mutating func backendSent(_ bytes: [UInt8], now: UInt64) -> Action {
        follow(opening.backendSent(bytes), now: now)
    }

    /// The backend could not be connected to, or failed before it was proven.
    mutating func failed(_ failure: DialFailure, now: UInt64) -> Action {
        guard !isRelaying, current < candidates.count else { return .leave("\(failure)") }
        let next = opening.backendLost()
        if next == .connect, address + 1 < candidates[current].addresses.count, now < aliasDeadline,
            !failure.isOfTheAlias
        {
            address += 1
            return dial(now: now)
        }
        pass(failure)
        return follow(next, now: now)
    }

    /// What was waited for did not happen in time.
    mutating func deadlinePassed(now: UInt64) -> Action {
        switch state {
        case .dialing: failed(.timeout, now: now)
        case .opening: failed(.silent, now: now)
        case .listening, .refused: .leave("the client said nothing in time")
        case .relaying: .leave("out of time")
        }
    }

    /// A place that the session had to wait for is free: the alias has all of its time.
    ///
    /// - Parameter alias: the one that has the place; `nil` for the one whose turn it is.
    mutating func placeFound(onAlias alias: Int?, now: UInt64) -> Action {
        if let alias, let index = candidates.firstIndex(where: { $0.alias == alias }) { current = index }
        guard current < candidates.count, !candidates[current].addresses.isEmpty else {
            return .leave("a place on an alias that has no address")
        }
        aliasDeadline = now &+ limits.connect
        address = 0
        return dial(now: now)
    }

    /// No alias serves, and this is to be said to the client.
    mutating func refused(_ refusal: Refusal, now: UInt64) -> Action {
        let step = opening.refuse(refusal)
        state = .refused
        return follow(step, now: now)
    }

    /// The failures that backends have to answer for and that were not taken yet.
    ///
    /// A backend that closes on what a client said may be right to do so. It is accused when another takes the same, or
    /// when there was no other to compare with.
    mutating func takeReports() -> [Attempt] {
        guard !unreported.isEmpty else { return [] }
        let mayBeClients = { [opening] (attempt: Attempt) in
            opening.clientMayBeAtFault && attempt.failure.mayBeClientsFault
        }
        let isAlone = attempts.count(where: mayBeClients) == 1
        let isToWait =
            switch state {
            case .relaying: false
            case .refused: !isAlone
            case .listening, .dialing, .opening: true
            }
        defer { unreported.removeAll { !(isToWait && mayBeClients($0)) } }
        return unreported.filter { !(isToWait && mayBeClients($0)) }
    }
}

// MARK: - What is next

extension SessionStateMachine {
    private mutating func follow(_ step: Opening.Step, now: UInt64) -> Action {
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
        case .proven(let bytes):
            isInClear = opening.isInClear
            guarding = guardingOfCurrent
            isUnguarded = guarding != nil && opening.isEncrypted
            state = .relaying(alias: candidates[current].alias)
            // What was kept for the next candidate is not needed any more; an idle session holds none of it.
            candidates = []
            opening = .tcp
            return .relay(bytes)
        case .failed(let failure): return failed(failure, now: now)
        case .cancel(let bytes): return .cancel(bytes)
        case .farewell(let bytes):
            state = .refused
            return .farewell(bytes)
        case .leave(let reason):
            state = .refused
            return .leave(reason)
        }
    }

    /// Until the client speaks.
    private mutating func rest() {
        answerDeadline = nil
        if case .refused = state { return }
        state = .listening
    }

    private mutating func ask(_ bytes: [UInt8], now: UInt64) -> Action {
        // While it is being dialed, the backend gets all of it when the connection stands.
        if case .dialing(let deadline) = state { return .wait(deadline: deadline) }
        state = .opening
        let deadline = answerDeadline ?? now &+ limits.greeting
        answerDeadline = deadline
        return .ask(bytes, deadline: deadline)
    }

    private mutating func dialCurrentAlias(now: UInt64) -> Action {
        while current < candidates.count {
            if guardingOfCurrent == .refuse, opening.isEncrypted {
                pass(.unguardable(ReadOnlyGuard.whyEncrypted))
            } else if candidates[current].addresses.isEmpty {
                pass(.unresolved)
            } else {
                aliasDeadline = now &+ limits.connect
                address = 0
                return dial(now: now)
            }
        }
        state = .refused
        return .refuse(attempts)
    }

    private var guardingOfCurrent: SessionSettings.OpaquePolicy? {
        guard let readOnlyGuard, readOnlyGuard.aliases.contains(candidates[current].alias) else { return nil }
        return readOnlyGuard.opaque
    }

    /// The current alias is done with.
    private mutating func pass(_ failure: DialFailure) {
        let attempt = Attempt(alias: candidates[current].alias, failure: failure)
        attempts.append(attempt)
        unreported.append(attempt)
        current += 1
    }

    /// The time that is left is shared among the addresses that are left, so that a dead first one starves no other.
    private mutating func dial(now: UInt64) -> Action {
        let addresses = candidates[current].addresses
        let share = (aliasDeadline - min(now, aliasDeadline)) / UInt64(addresses.count - address)
        state = .dialing(deadline: now &+ share)
        return .dial(addresses[address], deadline: now &+ share)
    }
}
