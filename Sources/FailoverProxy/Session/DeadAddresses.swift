import FailoverCore
import Synchronization

/// Addresses of names at which sessions met nobody, or silence, lately: they are tried after the alias's others. For all
/// loops; remembered until a session is served there, a ping finds another order of the alias's addresses, or for half a
/// minute.
final class DeadAddresses: Sendable {
    /// When each may be forgotten, in nanoseconds of the loops' clock.
    private let until = Lock<[SocketAddress: UInt64]>([:])
    /// So that who finds none takes no lock.
    private let count = Atomic<Int>(0)

    private static let memory: UInt64 = 30_000_000_000
    /// Addresses that are remembered at a time.
    private static let most = 1024

    func note(_ news: SessionStateMachine.AddressNews, now: UInt64) {
        guard !news.serves else { return forget([news.address]) }
        change { until in
            until = until.filter { $0.value > now }
            guard until.count < Self.most || until[news.address] != nil else { return }
            until[news.address] = now &+ Self.memory
        }
    }

    func forget(_ addresses: [SocketAddress]) {
        guard count.load(ordering: .relaxed) > 0 else { return }
        change { until in
            for address in addresses { until[address] = nil }
        }
    }

    /// The candidates, each with its dead addresses behind the others.
    func ordered(_ candidates: [RouteTable.Candidate], now: UInt64) -> [RouteTable.Candidate] {
        guard count.load(ordering: .relaxed) > 0, candidates.contains(where: { $0.addresses.count > 1 }) else {
            return candidates
        }
        let dead = until.withLock { $0 }.filter { $0.value > now }
        return candidates.map { candidate in
            let last = candidate.addresses.filter { dead[$0] != nil }
            guard !last.isEmpty, last.count < candidate.addresses.count else { return candidate }
            return RouteTable.Candidate(
                alias: candidate.alias, addresses: candidate.addresses.filter { dead[$0] == nil } + last)
        }
    }

    private func change(_ body: (inout [SocketAddress: UInt64]) -> Void) {
        until.withLock { until in
            body(&until)
            count.store(until.count, ordering: .relaxed)
        }
    }
}
