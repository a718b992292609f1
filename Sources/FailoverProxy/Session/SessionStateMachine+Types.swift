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
