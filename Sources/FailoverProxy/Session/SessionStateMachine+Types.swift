import FailoverCore

/// The machine's actions and observations.
extension SessionStateMachine {
    /// What the session must do.
    enum Action: Equatable {
        /// Wait. If the deadline passes first, call ``SessionStateMachine/deadlinePassed(now:)``.
        case wait(deadline: UInt64)
        /// Connect to this address.
        case dial(SocketAddress, deadline: UInt64)
        /// Send these bytes, if any, to the backend and wait for its answer.
        case ask([UInt8], deadline: UInt64)
        /// Send these bytes to the client and wait for its answer.
        case tell([UInt8], deadline: UInt64)
        /// Send these bytes, if any, to the client in clear text, and begin TLS with it. The client has sent `received`
        /// of it already. Call ``SessionStateMachine/secured(_:now:)`` afterwards.
        case secureClient([UInt8], received: [UInt8], deadline: UInt64)
        /// Begin TLS with the backend, and call ``SessionStateMachine/secured(_:now:)`` afterwards.
        case secureServer(deadline: UInt64)
        /// Send these bytes, which come from the backend, to the client, and relay from now on.
        case relay([UInt8])
        /// No alias is left. Call ``SessionStateMachine/tryAnyway(_:now:)`` with aliases that are down, once per
        /// session, or ``SessionStateMachine/refused(_:now:)`` with the refusal.
        case refuse([Attempt])
        /// Send this cancel request to every backend that may run the query.
        case cancel([UInt8])
        /// Send these bytes to the client and close.
        case closingMessage([UInt8])
        /// Close.
        case leave(String)
    }

    /// A failed attempt at one alias.
    struct Attempt: Equatable {
        let alias: Int
        let failure: DialFailure
    }

    /// The report about an alias that could not serve.
    struct Report: Equatable {
        let attempt: Attempt
        /// Whether the server must be at fault. Otherwise the client may have caused the failure, and the server
        /// should only be pinged.
        let accuses: Bool
    }

    /// An observation about one of an alias's several addresses.
    struct AddressNews: Equatable {
        let address: SocketAddress
        /// Whether a server answered there.
        let serves: Bool
    }

    /// The time limits of the search for a backend, in nanoseconds.
    struct Limits: Equatable {
        /// The limit for the connection to one alias, over all its addresses.
        var connect: UInt64
        /// The limit for a backend's answer or greeting, over all addresses of the alias.
        var greeting: UInt64
        /// The limit for everything that the client must send before a backend serves it.
        var clientStartup: UInt64
        /// The limit for what a client must send before it can be refused.
        var refusal: UInt64
    }
}

extension SessionSettings {
    var handshakeLimits: SessionStateMachine.Limits {
        SessionStateMachine.Limits(
            connect: connectTimeout.nanoseconds, greeting: greetingTimeout.nanoseconds,
            clientStartup: clientStartupTimeout.nanoseconds, refusal: refusalTimeout.nanoseconds)
    }
}

// MARK: - State

extension SessionStateMachine {
    /// The alias that is being tried or serves the session.
    var alias: Int? {
        if case .relaying(let alias) = state { return alias }
        return current < candidates.count ? candidates[current].alias : nil
    }

    /// The aliases that serve or may serve the session, and those whose failures are not reported yet.
    var aliases: [Int] {
        if case .relaying(let alias) = state { [alias] } else { candidates.map(\.alias) + attempts.map(\.alias) }
    }

    /// Whether a backend serves the session.
    var isRelaying: Bool {
        if case .relaying = state { true } else { false }
    }

    /// Whether the session is refused and about to end.
    var isRefused: Bool {
        if case .refused = state { true } else { false }
    }

    /// Whether the client must still send before it needs a server, and no alias was tried before.
    var hasTriedNobody: Bool {
        if case .listening = state { attempts.isEmpty } else { false }
    }

    /// Whether a connection attempt is in progress.
    var isDialing: Bool {
        if case .dialing = state { true } else { false }
    }

    /// Whether the session skipped an alias because it was full, not because it was unhealthy.
    var overflowed: Bool { attempts.contains { $0.failure.isForLackOfRoom } }

    /// Whether the client's TLS ends at the proxy. Only a PostgreSQL session decides it before a server is dialed.
    var endsTLS: Bool { if case .postgres(let handshake) = handshake { handshake.endsTLS } else { false } }

    /// Whether to read the client before a backend serves.
    var readsClient: Bool { handshake.readsClient }
}
