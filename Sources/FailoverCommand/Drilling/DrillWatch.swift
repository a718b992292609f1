package import FailoverAdmin
import FailoverCore

/// The course of a drill, derived from status documents. Times are relative to the moment before its start. They are
/// only as exact as the interval between two statuses.
package struct DrillWatch: Sendable {
    package let alias: String
    package let before: RouteDocument
    /// When the alias first had no sessions left.
    package private(set) var left: Duration?
    /// When the drill was seen for the first and for the last time.
    package private(set) var firstSeen: Duration?
    private var lastSeen: Duration = .zero
    /// When the drill was first seen to be over.
    package private(set) var over: Duration?
    /// The time from the end of the drill until the first new session was on the alias, and until the other aliases had
    /// no more sessions than before the drill.
    package private(set) var firstBack: Duration?
    package private(set) var allBack: Duration?
    /// The first and the last status during the drill.
    private var first: RouteDocument?
    private var last: RouteDocument?
    package private(set) var latest: RouteDocument

    package init(alias: String, before: RouteDocument) {
        self.alias = alias
        self.before = before
        latest = before
    }

    /// Whether the alias served before, so that sessions should come back.
    package var expectsReturn: Bool { serves(in: before) }

    /// Whether the alias serves now, alone or together with others.
    package var isServing: Bool { serves(in: latest) }

    /// The aliases where sessions of the route belong: the alias, and those that served side by side with it.
    package var home: Set<String> { Set(before.aliases.filter(\.serving).map(\.name)).union([alias]) }

    package mutating func saw(_ route: RouteDocument, at time: Duration) {
        latest = route
        let own = route.alias(alias)
        guard own?.drill == nil || over != nil else {
            first = first ?? route
            firstSeen = firstSeen ?? time
            last = route
            lastSeen = time
            if own?.sessions == 0 { left = left ?? time }
            return
        }
        over = over ?? time
        // If the drill was never seen, it was over before the first status.
        firstSeen = firstSeen ?? time
        let servedDuring = (last ?? before).alias(alias)?.served ?? 0
        if firstBack == nil, (own?.served ?? 0) > servedDuring { firstBack = time - lastSeen }
        if isServing, elsewhere(route) <= elsewhere(before) {
            allBack = allBack ?? time - lastSeen
        } else {
            // A client that was connecting to another alias when the drill ended still gets its session there.
            allBack = nil
        }
    }

    /// The sessions before the drill: on the alias, and in total.
    package var openBefore: (onAlias: Int, all: Int) {
        (before.alias(alias)?.sessions ?? 0, before.sessions.open)
    }

    /// Sessions that were still on the alias when the drill was last seen.
    package var stayed: Int { last?.alias(alias)?.sessions ?? 0 }

    /// The sessions that are now on aliases that did not serve before.
    package var notBack: Int { expectsReturn ? max(0, elsewhere(latest) &- elsewhere(before)) : 0 }

    /// The sessions that began during the drill, by alias.
    package var newSessions: [(alias: String, count: Int)] {
        guard let first, let last else { return before.aliases.map { ($0.name, 0) } }
        return last.aliases.map { ($0.name, $0.served &- (first.alias($0.name)?.served ?? 0)) }
    }

    package var refused: Int { latest.sessions.refused &- before.sessions.refused }
    package var retried: Int { latest.sessions.retried &- before.sessions.retried }
    package var moved: Int { latest.sessions.moved &- before.sessions.moved }

    /// When sessions may have been closed: at the start and at the end of the drill.
    package var changes: [ClosedRange<Duration>] {
        let beginning = Duration.zero...(firstSeen ?? .zero)
        return over.map { [beginning, lastSeen...$0] } ?? [beginning]
    }

    private func serves(in route: RouteDocument) -> Bool { route.alias(alias)?.serving == true }

    private func elsewhere(_ route: RouteDocument) -> Int {
        route.aliases.filter { !home.contains($0.name) }.reduce(0) { $0 &+ $1.sessions }
    }
}

extension RouteDocument {
    /// The alias of this name in the route.
    package func alias(_ name: String) -> Alias? { aliases.first { $0.name == name } }
}
