import FailoverCore
import FailoverSystem
import Synchronization

/// Addresses of host names at which sessions recently got no connection or no answer. Sessions try them after the other
/// addresses of the alias. All loops share them. An address is remembered for 30 seconds, or until a session is served
/// there or a ping changes the order of the alias's addresses.
final class DeadAddresses: Sendable {
    /// The time at which each address is forgotten, in nanoseconds of the loops' clock.
    private let until = Lock<[SocketAddress: UInt64]>([:])
    /// The number of addresses, so that readers take no lock if there are none.
    private let count = Atomic<Int>(0)

    private static let memory: UInt64 = 30_000_000_000
    /// The maximum number of remembered addresses.
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

    /// The candidates, with the dead addresses of each candidate after its other addresses.
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
