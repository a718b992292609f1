import FailoverCore

/// How a session finds its backend: which address of which alias is tried next, and what follows from each failure.
///
///     waiting ──start──▶ dialing ──connected──▶ relaying
///                        │  ▲  │
///        failed, timeout └──┘  └─ no candidate left ──▶ refused
///
/// The proof that a backend is well will stand between `dialing` and `relaying`.
struct SessionStateMachine {
    enum Action: Equatable {
        /// Connect to this address; call ``SessionStateMachine/failed(_:now:)`` when the deadline passes first.
        case dial(SocketAddress, deadline: UInt64)
        /// Pass bytes.
        case relay
        /// No alias is left: tell the client and close.
        case refuse([Attempt])
    }

    /// What became of one alias.
    struct Attempt: Equatable {
        let alias: Int
        let failure: DialFailure
    }

    private enum State {
        case dialing(address: Int)
        case relaying(alias: Int)
        case refused
    }

    private var state = State.refused
    private var candidates: [RouteTable.Candidate]
    private var current = 0
    private var attempts: [Attempt] = []
    private let connectTimeout: UInt64
    /// When the current alias must have answered, over all its addresses.
    private var aliasDeadline: UInt64 = 0

    init(candidates: [RouteTable.Candidate], connectTimeout: Duration) {
        self.candidates = candidates
        self.connectTimeout = connectTimeout.nanoseconds
    }

    /// The alias that is tried or serves.
    var alias: Int? {
        if case .relaying(let alias) = state { return alias }
        return current < candidates.count ? candidates[current].alias : nil
    }

    var isRelaying: Bool {
        if case .relaying = state { true } else { false }
    }

    /// The session begins.
    mutating func start(now: UInt64) -> Action { dialCurrentAlias(now: now) }

    /// The connection stands.
    mutating func connected() -> Action {
        state = .relaying(alias: candidates[current].alias)
        candidates = []
        attempts = []
        return .relay
    }

    /// The address could not be connected to.
    ///
    /// - Returns: The failure of the alias if that was its last address, and what to do now.
    mutating func failed(_ failure: DialFailure, now: UInt64) -> (ended: Attempt?, next: Action) {
        guard case .dialing(let address) = state else { return (nil, .refuse(attempts)) }
        if failure != .full, address + 1 < candidates[current].addresses.count, now < aliasDeadline {
            return (nil, dial(address: address + 1, now: now))
        }
        let attempt = Attempt(alias: candidates[current].alias, failure: failure)
        attempts.append(attempt)
        current += 1
        return (attempt, dialCurrentAlias(now: now))
    }

    private mutating func dialCurrentAlias(now: UInt64) -> Action {
        while current < candidates.count {
            if !candidates[current].addresses.isEmpty {
                aliasDeadline = now &+ connectTimeout
                return dial(address: 0, now: now)
            }
            attempts.append(Attempt(alias: candidates[current].alias, failure: .unresolved))
            current += 1
        }
        state = .refused
        return .refuse(attempts)
    }

    /// The time that is left is shared among the addresses that are left, so that a dead first one starves no other.
    private mutating func dial(address: Int, now: UInt64) -> Action {
        state = .dialing(address: address)
        let addresses = candidates[current].addresses
        let share = (aliasDeadline - min(now, aliasDeadline)) / UInt64(addresses.count - address)
        return .dial(addresses[address], deadline: now &+ share)
    }
}
