import FailoverCore

/// How far the logs of primaries are, as their own pings tell, for the replicas that compare.
package final class PrimaryPositions: Sendable {
    private struct State {
        /// By replica, the aliases that may be its primary.
        var sources: [Int: [Int]] = [:]
        var latest: [Int: UInt64] = [:]
    }

    private let state = Lock(State())

    package init() {}

    /// These compare from now on.
    ///
    /// - Parameter sources: by the position of a replica's alias those of the aliases that may be its primary.
    package func change(sources: [Int: [Int]]) { state.withLock { $0.sources = sources } }

    /// The place of one alias.
    package func place(ofAlias alias: Int) -> Place { Place(positions: self, alias: alias) }

    /// What one alias gives and gets.
    package struct Place: Sendable {
        fileprivate let positions: PrimaryPositions
        fileprivate let alias: Int

        /// Whether any replica compares with this alias.
        var isWanted: Bool { positions.state.withLock { $0.sources.values.contains { $0.contains(alias) } } }

        /// So far is the log of this alias; `nil` when it is no primary.
        func tell(_ position: UInt64?) { positions.state.withLock { $0.latest[alias] = position } }

        /// How far the log of this replica's primary was when it was last asked, however long ago.
        var ofPrimary: UInt64? {
            positions.state.withLock { state in
                (state.sources[alias] ?? []).compactMap { state.latest[$0] }.max()
            }
        }
    }
}
