/// The alias that a route's new sessions get first, and why.
public struct RouteSelection: Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        /// It is the route's own.
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
    public let reason: Reason
    /// In the route's order. While a stale alias serves, for want of a fresh one, all others.
    public let passed: [Passed]

    public init(alias: Int?, reason: Reason, passed: [Passed] = []) {
        self.alias = alias
        self.reason = reason
        self.passed = passed
    }
}
