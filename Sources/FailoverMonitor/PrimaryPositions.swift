import FailoverSystem

/// The ends of the primaries' logs, as their own pings report them, for the replicas that compare positions.
package final class PrimaryPositions: Sendable {
    private struct State {
        /// The aliases that may be the primary of a replica, by replica.
        var sources: [Int: [Int]] = [:]
        var latest: [Int: UInt64] = [:]
    }

    private let state = Lock(State())

    package init() {}

    /// Replaces the replicas that compare positions.
    ///
    /// - Parameters:
    ///   - sources: for each replica's alias, the aliases that may be its primary.
    ///   - added: the aliases that are new. What is known at their positions is of others.
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

        /// Sets the end of this alias's log; `nil` if it is no primary or does not report it.
        package func tell(_ position: UInt64?) { positions.state.withLock { $0.latest[alias] = position } }

        /// The end of the log of this replica's primary at the primary's latest ping, however long ago.
        package var ofPrimary: UInt64? {
            positions.state.withLock { state in
                (state.sources[alias] ?? []).compactMap { state.latest[$0] }.max()
            }
        }
    }
}
