import FailoverCore

/// What the loops serve: a configuration, the places of its routes and aliases, and who is told. Each loop holds the
/// latest; sessions find their route and alias at the same positions in all that follow each other.
struct Lineup: Sendable {
    let configuration: ProxyConfiguration
    let observer: any ProxyObserver
    /// Of each route.
    let routePlaces: [PlaceLine]
    /// Of each alias.
    let aliasPlaces: [PlaceLine]
    /// Of each route, for sessions that try aliases that are down: a flood of clients onto dead servers holds no more
    /// descriptors than that for long.
    let lastResortPlaces: [PlaceLine]
    /// Where clients of each route are.
    let sources: [SourceLimits]
    /// How long each alias may take for its first answer when nobody else is left, in nanoseconds.
    let lastAnswerLimits: [UInt64]
    let deadAddresses: DeadAddresses
    /// How fast each route's sessions may be moved, over all loops.
    let paces: [DrainPace]
    /// Of each route that has, or had, several aliases of its own.
    let balancers: [SharedBalancer?]

    private static let lastResortLimit = 64

    /// The one after `former`, whose sessions keep their places.
    init(_ configuration: ProxyConfiguration, observer: any ProxyObserver, after former: Lineup? = nil) {
        self.configuration = configuration
        self.observer = observer
        routePlaces = Self.places(configuration.routes.map(\.maxConnections), former?.routePlaces)
        aliasPlaces = Self.places(configuration.aliasLimits, former?.aliasPlaces)
        lastResortPlaces = Self.places(
            configuration.routes.map { _ in Self.lastResortLimit }, former?.lastResortPlaces)
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
            let known = former?.balancers.dropFirst(index).first.flatMap(\.self)
            guard let settings = route.balance ?? known.map({ _ in BalanceSettings(policy: .first) }) else {
                return nil
            }
            guard let known else { return SharedBalancer(settings: settings, weights: weights) }
            known.change(settings: settings, weights: weights)
            return known
        }
    }

    private static func places(_ limits: [Int?], _ former: [PlaceLine]?) -> [PlaceLine] {
        limits.enumerated().map { index, limit in
            guard let places = former?.dropFirst(index).first else { return PlaceLine(limit: limit) }
            places.change(limit: limit)
            return places
        }
    }
}
