/// The alias that a route's new sessions get first, or those that share them, and why.
public struct RouteSelection: Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        /// It is one of the route's own.
        case preferred
        /// Those before it were passed over.
        case failover
        /// An operator switched the route to it.
        case pinned
        /// There is none.
        case nothingUp
    }

    /// An alias that comes before the one chosen, and was passed over.
    public struct Passed: Hashable, Sendable {
        public enum Reason: Hashable, Sendable {
            case down(PingFailure)
            /// An operator takes it out of service.
            case draining
            /// Its data is too old.
            case stale(Staleness)
            case suspect
            /// Its server refuses new sessions: it is full, or blocks this machine.
            case refusing(ServiceStanding.Availability)
            /// It is well, but fewer of the route's own aliases are than this.
            case tooFew(Int)
        }

        /// Position in ``RouteTable/aliases``.
        public let alias: Int
        public let reason: Reason

        public init(alias: Int, reason: Reason) {
            self.alias = alias
            self.reason = reason
        }
    }

    /// Position in ``RouteTable/aliases``; `nil` when no alias may serve.
    public let alias: Int?
    /// Those that get new sessions side by side with ``alias``.
    public let others: [Int]
    public let reason: Reason
    /// In the route's order. While a stale alias serves, for want of a fresh one, all others.
    public let passed: [Passed]

    /// All that get new sessions.
    public var serving: [Int] { [alias].compactMap(\.self) + others }

    public init(alias: Int?, others: [Int] = [], reason: Reason, passed: [Passed] = []) {
        self.alias = alias
        self.others = others
        self.reason = reason
        self.passed = passed
    }
}
