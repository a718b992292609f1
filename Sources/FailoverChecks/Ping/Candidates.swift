import FailoverCore
import FailoverSystem

/// The servers that an alias may be, in the order of the configuration, and which of them it is.
final class Candidates: Sendable {
    /// One of them, and how it is pinged.
    struct Member: Sendable {
        let endpoint: Endpoint
        let check: AddressedCheck
        let replica: ReplicaWatch?
    }

    private struct Current {
        /// The first until one was found well.
        var index = 0
        var isKnown = false
        /// Until then, the one that serves although it refuses the monitor, for want of a better one.
        var refusing: Int?
    }

    private let members: [Member]
    /// Which of them it is.
    private let current = Lock(Current())

    /// - Parameter members: at least one.
    init(_ members: [Member]) { self.members = members }

    var replica: ReplicaWatch? { members[current.withLock { $0.index }].replica }

    /// It was this one when it was last known. Without effect once it has been looked for.
    func assume(_ server: Endpoint) {
        guard let index = members.firstIndex(where: { $0.endpoint == server }) else { return }
        current.withLock { current in
            if !current.isKnown, current.refusing == nil { current = Current(index: index, isKnown: true) }
        }
    }

    /// Pings the one that it is; if that fails, the others in turn, until one is well. They share the time, so that a silent
    /// one leaves time for the next.
    ///
    /// Until one was found well, one that refuses the monitor is taken, since it lives.
    ///
    /// - Parameter report: called with the addresses that were found: of a single server as soon as its name is looked up
    ///   and again when it has answered, of several only of the one that it is from then on.
    /// - Throws: the failure of that one, with what is the matter with the others.
    func ping(
        limit: Duration, report: @escaping AddressedCheck.Report
    ) async throws(PingFailure) {
        guard members.count > 1 else {
            return try await members[0].check.ping(limit: limit, report: report)
        }
        let deadline = Deadline(limit)
        let known = current.withLock { $0 }
        let first = known.refusing ?? known.index
        var failures: [PingFailure] = []
        var refusal: (index: Int, reason: PingFailure.Reason, addresses: [SocketAddress])?
        for index in [first] + members.indices.filter({ $0 != first }) {
            let share = deadline.share(of: members.count - failures.count)
            let found = Found()
            do {
                try await members[index].check.ping(limit: share.remaining) { found.set($0.addresses) }
                current.withLock { $0 = Current(index: index, isKnown: true) }
                return report(place(index, found.addresses))
            } catch {
                failures.append(error)
                // The one that it was lives, or could not be asked. That must not make it another.
                if index == first, known.isKnown, error.kind != .dead { throw error }
                if refusal == nil, error.kind == .refusal { refusal = (index, error.reason, found.addresses) }
            }
            if deadline.hasPassed { break }
        }
        let words = failures.map(\.detail).joined(separator: "; ")
        guard !known.isKnown, let refusal, !refusal.addresses.isEmpty else {
            throw PingFailure(failures[0].reason, words)
        }
        current.withLock { $0.refusing = refusal.index }
        report(place(refusal.index, refusal.addresses))
        throw PingFailure(refusal.reason, words)
    }

    private func place(_ index: Int, _ addresses: [SocketAddress]) -> FoundAddresses {
        FoundAddresses(addresses, server: members[index].endpoint, isTested: true)
    }
}

/// What one of several was found at.
private final class Found: Sendable {
    private let state = Lock<[SocketAddress]>([])

    var addresses: [SocketAddress] { state.withLock { $0 } }

    func set(_ addresses: [SocketAddress]) { state.withLock { $0 = addresses } }
}
