import FailoverCore

/// How a session finds its backend: what is said to whom, which address of which alias is tried next, and what follows
/// from each failure.
///
///                       ┌───────── failed, silent, refused: next candidate ────────┐
///                       ▼                                                          │
///     listening ──▶ dialing ──connected──▶ opening ──proof──▶ relaying             │
///         ▲             ▲ │                 │ │ └──────────────────────────────────┘
///         └─ the client │ └─ none is left ──┤ │
///            is to speak┼───────────────────┘ └── none is left ──▶ refused
///                       └─ the last resort: aliases that are down ─┘
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
        /// No alias is left: ``SessionStateMachine/tryAnyway(_:now:)`` takes those that are down, once, and
        /// ``SessionStateMachine/refused(_:now:)`` the words for it.
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

    /// What is to be told of an alias that could not serve.
    struct Report: Equatable {
        let attempt: Attempt
        /// Whether the server must be at fault. Else it may have ended what the client began, and is worth a look.
        let accuses: Bool
    }

    /// What was learned of one of an alias's several addresses.
    struct AddressNews: Equatable {
        let address: SocketAddress
        /// Whether a server answered there.
        let serves: Bool
    }

    /// The limits of finding a backend, in nanoseconds.
    struct Limits: Equatable {
        /// For the connection to one alias, over all its addresses.
        var connect: UInt64
        /// For a backend's answer to what it was told, and for its greeting; shared by an alias's addresses.
        var greeting: UInt64
        /// For all that the client has to say before a backend serves it.
        var clientStartup: UInt64
        /// For what a client has to say before it can be told that it is refused.
        var refusal: UInt64
    }

    enum State {
        /// The client is to speak; a backend may be connected.
        case listening
        case dialing(deadline: UInt64)
        /// Connected; not yet proven.
        case opening
        case relaying(alias: Int)
        /// No alias is left, or none was to be asked.
        case refused
    }

    var state = State.listening
    var opening: Opening
    var candidates: [RouteTable.Candidate]
    /// The candidate and which of its addresses.
    var current = 0
    var address = 0
    /// What says most of the alias's addresses that have failed.
    var addressFailure: DialFailure?
    let limits: Limits
    /// For an answer of the last candidate, by alias: to wait longer is better than to refuse.
    var lastAnswerLimits: [UInt64]
    private let readOnlyGuard: ReadOnlyGuard?
    /// The alias that was found to take no parameter by which a session is kept from writing.
    private(set) var aliasByStatement: Int?
    /// Whether the session that is served is to be kept from writing by a statement.
    private(set) var guardsByStatement = false
    /// What keeps the session that is served from writing, if anything is to; and whether nothing can.
    private(set) var guarding: SessionSettings.OpaquePolicy?
    private(set) var isUnguarded = false
    /// Failures so far, in order.
    private(set) var attempts: [Attempt] = []
    /// Those that the backends may have to answer for.
    private var unreported: [Attempt] = []
    var addressNews: [AddressNews] = []
    /// Whether what passes after the proof can be read.
    private(set) var isInClear = false
    /// Whether aliases are tried that are down, or one of them serves.
    private(set) var isLastResort = false
    private var clientDeadline: UInt64 = 0
    /// What is left of the current alias's time for connections, and for answers, over all its addresses.
    var connectLeft: UInt64 = 0
    var answerLeft: UInt64 = 0
    /// When the backend must have answered what it was told.
    var answerDeadline: UInt64?

    init(
        opening: Opening, candidates: [RouteTable.Candidate], limits: Limits, lastAnswerLimits: [UInt64] = [],
        readOnlyGuard: ReadOnlyGuard? = nil
    ) {
        self.opening = opening
        self.candidates = candidates
        self.limits = limits
        self.lastAnswerLimits = lastAnswerLimits
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

    /// Whether nobody serves it, and it is about to end.
    var isRefused: Bool {
        if case .refused = state { true } else { false }
    }

    /// Whether the client is to speak before it needs a server, and needed none before.
    var hasTriedNobody: Bool {
        if case .listening = state { attempts.isEmpty } else { false }
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
        candidates = []
        return refused(refusal, now: now)
    }

    /// It has tried nobody, and is to try these.
    mutating func choose(_ candidates: [RouteTable.Candidate]) {
        guard hasTriedNobody else { return }
        self.candidates = candidates
        current = 0
    }

    /// The client's next bytes, before a backend serves.
    mutating func clientSent(_ bytes: [UInt8], now: UInt64) -> Action { follow(opening.clientSent(bytes), now: now) }

    /// The connection stands.
    mutating func connected(now: UInt64) -> Action {
        spendOnConnecting(now: now)
        state = .opening
        answerDeadline = nil
        let alias = candidates[current].alias
        let byStatement = alias == aliasByStatement || readOnlyGuard?.byStatement.contains(alias) == true
        return follow(opening.connected(guarding: guardingOfCurrent, byStatement: byStatement), now: now)
    }

    /// The backend's next bytes, before it is proven.
    mutating func backendSent(_ bytes: [UInt8], now: UInt64) -> Action {
        follow(opening.backendSent(bytes), now: now)
    }

    /// The backend could not be connected to, or failed before it was proven.
    mutating func failed(_ failure: DialFailure, now: UInt64) -> Action {
        guard !isRelaying, current < candidates.count else { return .leave("\(failure)") }
        spendOnConnecting(now: now)
        if failure == .silent { spendOnAnswering() }
        noteAddress(failure)
        let next = opening.backendLost()
        if failure.isOfTheAlias || addressFailure.map({ $0.weight <= failure.weight }) ?? true {
            addressFailure = failure
        }
        if next == .connect, !failure.isOfTheAlias, moveToNextAddress() { return dial(now: now) }
        pass(addressFailure ?? failure)
        return follow(next, now: now)
    }

    /// What was waited for did not happen in time.
    mutating func deadlinePassed(now: UInt64) -> Action {
        switch state {
        case .dialing: return failed(.timeout, now: now)
        case .opening:
            if let step = opening.answerIsLate() { return follow(step, now: now) }
            return failed(.silent, now: now)
        case .listening, .refused: return .leave("the client said nothing in time")
        case .relaying: return .leave("out of time")
        }
    }

    /// No alias that is up serves; these are down, and tried all the same.
    mutating func tryAnyway(_ aliases: [RouteTable.Candidate], now: UInt64) -> Action {
        isLastResort = true
        candidates = aliases
        current = 0
        return dialCurrentAlias(now: now)
    }

    /// A place that the session had to wait for is free: it begins anew, with all of its time.
    ///
    /// - Parameters:
    ///   - alias: the one that has the place, which is first if it is a candidate still; `nil` is none.
    ///   - candidates: those of this moment.
    mutating func placeFound(onAlias alias: Int?, _ candidates: [RouteTable.Candidate], now: UInt64) -> Action {
        self.candidates = candidates
        current = candidates.firstIndex { $0.alias == alias } ?? 0
        attempts = []
        clientDeadline = now &+ limits.clientStartup
        return dialCurrentAlias(now: now)
    }

    /// No alias serves, and this is to be said to the client.
    mutating func refused(_ refusal: Refusal, now: UInt64) -> Action {
        clientDeadline = now &+ min(limits.clientStartup, limits.refusal)
        let step = opening.refuse(refusal)
        state = .refused
        return follow(step, now: now)
    }

    /// The failures that are to be told and were not taken yet.
    ///
    /// A backend that closes on what a client said may be right to do so. It is accused when another takes the same.
    mutating func takeReports() -> [Report] {
        guard !unreported.isEmpty else { return [] }
        var waiting: [Attempt] = []
        let reports = unreported.compactMap { attempt -> Report? in
            guard mayBeClientsFault(attempt.failure) else { return Report(attempt: attempt, accuses: true) }
            switch state {
            case .relaying: return Report(attempt: attempt, accuses: true)
            case .refused: return Report(attempt: attempt, accuses: false)
            case .listening, .dialing, .opening:
                waiting.append(attempt)
                return nil
            }
        }
        unreported = waiting
        return reports
    }

    /// What was learned of addresses and not taken yet.
    mutating func takeAddressNews() -> [AddressNews] {
        guard !addressNews.isEmpty else { return [] }
        defer { addressNews = [] }
        return addressNews
    }

    func mayBeClientsFault(_ failure: DialFailure) -> Bool {
        opening.clientMayBeAtFault && failure.mayBeClientsFault
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
            return serve(bytes)
        case .failed(let failure): return failed(failure, now: now)
        case .connectAgain:
            guard current < candidates.count else { return .leave("no server was asked") }
            aliasByStatement = candidates[current].alias
            connectLeft = limits.connect
            return dial(now: now)
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

    private mutating func serve(_ bytes: [UInt8]) -> Action {
        guard current < candidates.count else { return .leave("no server was asked") }
        noteThatAddressServes()
        isInClear = opening.isInClear
        guarding = guardingOfCurrent
        if case .postgres(let opening) = opening, guarding != nil { guardsByStatement = opening.guardsByStatement }
        isUnguarded = guarding != nil && opening.isEncrypted
        state = .relaying(alias: candidates[current].alias)
        // What was kept for the next candidate is not needed any more; an idle session holds none of it.
        candidates = []
        lastAnswerLimits = []
        opening = .tcp
        return .relay(bytes)
    }

    private mutating func dialCurrentAlias(now: UInt64) -> Action {
        while current < candidates.count {
            if guardingOfCurrent == .refuse, opening.isEncrypted {
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

    /// The current alias is done with.
    private mutating func pass(_ failure: DialFailure) {
        let attempt = Attempt(alias: candidates[current].alias, failure: failure)
        attempts.append(attempt)
        // One that closes while the client is to speak may have waited for that long enough.
        if case .listening = state, mayBeClientsFault(failure) {} else { unreported.append(attempt) }
        current += 1
    }
}
