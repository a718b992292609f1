import FailoverCore

/// What the loops serve: a configuration, its limits and the observer. Each loop holds the latest snapshot. Routes and
/// aliases keep their positions in later snapshots as long as sessions use them.
struct ProxySnapshot: Sendable {
    let configuration: ProxyConfiguration
    let observer: any ProxyObserver
    /// The connection slots of each route.
    let routeConnectionLimits: [ConnectionLimit]
    /// The connection slots of each alias.
    let aliasConnectionLimits: [ConnectionLimit]
    /// The connection slots of each route for sessions that try aliases that are down. They limit the descriptors that
    /// a flood of clients can use while all servers are down.
    let lastResortLimits: [ConnectionLimit]
    /// The client sources of each route.
    let sources: [SourceLimits]
    /// The time limit for each alias's first answer when no other alias is left, in nanoseconds.
    let lastAnswerLimits: [UInt64]
    let deadAddresses: DeadAddresses
    /// The pace at which each route's sessions are moved, over all loops.
    let paces: [DrainPace]
    /// The balancer of each route that has, or had, several aliases of its own; `nil` for other routes.
    let balancers: [SharedBalancer?]

    private static let lastResortLimit = 64

    /// Creates the snapshot that replaces `former`. Open sessions keep their connection slots.
    init(_ configuration: ProxyConfiguration, observer: any ProxyObserver, after former: ProxySnapshot? = nil) {
        self.configuration = configuration
        self.observer = observer
        routeConnectionLimits = Self.places(configuration.routes.map(\.maxConnections), former?.routeConnectionLimits)
        aliasConnectionLimits = Self.places(configuration.aliasLimits, former?.aliasConnectionLimits)
        lastResortLimits = Self.places(
            configuration.routes.map { _ in Self.lastResortLimit }, former?.lastResortLimits)
        lastAnswerLimits = configuration.aliasAnswerTimeouts.map(\.nanoseconds)
        deadAddresses = former?.deadAddresses ?? DeadAddresses()
        sources = configuration.routes.enumerated().map { index, route in
            guard let known = former?.sources.dropFirst(index).first else { return SourceLimits(route.sourceLimit) }
            known.change(route.sourceLimit)
            return known
        }
        paces = configuration.routes.enumerated().map { index, route in
            let rate = route.session.drainRate
            guard let former = former?.paces.dropFirst(index).first, former.rate == rate else {
                return DrainPace(rate: rate)
            }
            return former
        }
        let weights = configuration.aliasLimits.indices.map { index in
            index < configuration.aliasWeights.count ? configuration.aliasWeights[index] : 1
        }
        balancers = configuration.routes.enumerated().map { index, route in
            let isSame = former?.configuration.routes.dropFirst(index).first?.name == route.name
            let known = isSame ? former?.balancers.dropFirst(index).first.flatMap(\.self) : nil
            guard let settings = route.balance ?? known.map({ _ in BalanceSettings(policy: .first) }) else {
                return nil
            }
            guard let known else { return SharedBalancer(settings: settings, weights: weights) }
            known.change(settings: settings, weights: weights)
            return known
        }
    }

    private static func places(_ limits: [Int?], _ former: [ConnectionLimit]?) -> [ConnectionLimit] {
        limits.enumerated().map { index, limit in
            guard let places = former?.dropFirst(index).first else { return ConnectionLimit(limit: limit) }
            places.change(limit: limit)
            return places
        }
    }
}
