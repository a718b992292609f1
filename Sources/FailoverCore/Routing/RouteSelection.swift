/// The alias or aliases that get the new sessions of a route, and the reason.
public struct RouteSelection: Hashable, Sendable {
    /// Why the alias serves.
    public enum Reason: Hashable, Sendable {
        /// The alias is one of the route's preferred ones.
        case preferred
        /// The aliases before it were passed over.
        case failover
        /// An operator switched the route to it.
        case pinned
        /// No alias can serve.
        case nothingUp
    }

    /// An alias that comes before the chosen one and was passed over.
    public struct Passed: Hashable, Sendable {
        /// Why the alias was passed over.
        public enum Reason: Hashable, Sendable {
            case down(PingFailure)
            /// An operator has drained the alias.
            case draining
            /// The data of the alias is too old.
            case stale(Staleness)
            case suspect
            /// The server refuses new sessions: it is full, or blocks this machine.
            case refusing(ServiceStanding.Availability)
            /// The alias could serve, but fewer preferred aliases than this number can.
            case belowMinReplicas(Int)
        }

        /// Position in ``RouteTable/aliases``.
        public let alias: Int
        public let reason: Reason

        public init(alias: Int, reason: Reason) {
            self.alias = alias
            self.reason = reason
        }
    }

    /// The alias that is first in the order, as a position in ``RouteTable/aliases``; `nil` if no alias may serve.
    public let alias: Int?
    /// The other aliases that share new sessions with ``alias``.
    public let others: [Int]
    public let reason: Reason
    /// The aliases that were passed over, in the route's order. While a stale alias serves because no fresh one can,
    /// these are all other aliases.
    public let passed: [Passed]

    /// All aliases that get new sessions.
    public var serving: [Int] { [alias].compactMap(\.self) + others }

    public init(alias: Int?, others: [Int] = [], reason: Reason, passed: [Passed] = []) {
        self.alias = alias
        self.others = others
        self.reason = reason
        self.passed = passed
    }
}
