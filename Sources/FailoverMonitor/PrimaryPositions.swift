import FailoverSystem

/// The end of the log of each primary, as its own pings report it. The pings of replicas compare their positions with
/// it.
package final class PrimaryPositions: Sendable {
    private struct State {
        /// The aliases that may be the primary of a replica, by replica.
        var sources: [Int: [Int]] = [:]
        var latest: [Int: UInt64] = [:]
    }

    private let state = Lock(State())

    package init() {}

    /// Replaces the set of replicas that compare positions.
    ///
    /// - Parameters:
    ///   - sources: for each replica's alias, the aliases that may be its primary.
    ///   - added: the new aliases. Positions that are stored for these numbers belong to former aliases and are
    ///     removed.
    package func change(sources: [Int: [Int]], added: Set<Int> = []) {
        state.withLock { state in
            state.sources = sources
            for alias in added { state.latest[alias] = nil }
        }
    }

    /// The view of one alias.
    package func of(alias: Int) -> OfAlias { OfAlias(positions: self, alias: alias) }

    /// The view of one alias.
    package struct OfAlias: Sendable {
        fileprivate let positions: PrimaryPositions
        fileprivate let alias: Int

        /// Whether any replica compares with this alias.
        package var isWanted: Bool { positions.state.withLock { $0.sources.values.contains { $0.contains(alias) } } }

        /// Sets the end of this alias's log; `nil` if it is not a primary or does not report the position.
        package func tell(_ position: UInt64?) { positions.state.withLock { $0.latest[alias] = position } }

        /// The end of the log of this replica's primary, as of the primary's latest ping. That ping may be long ago.
        package var ofPrimary: UInt64? {
            positions.state.withLock { state in
                (state.sources[alias] ?? []).compactMap { state.latest[$0] }.max()
            }
        }
    }
}
