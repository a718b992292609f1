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

    private let members: [Member]
    /// Which of them it is; the first until one was found well.
    private let current = Lock((index: 0, isKnown: false))

    /// - Parameter members: at least one.
    init(_ members: [Member]) { self.members = members }

    var replica: ReplicaWatch? { members[current.withLock { $0.index }].replica }

    /// Pings the one that it is; if that fails, the others in turn, until one is well. They share the time, so that a silent
    /// one leaves time for the next.
    ///
    /// - Parameter report: called with the addresses that were found: of a single server as soon as its name is looked up
    ///   and again when it has answered, of several only of the one that is well.
    /// While nobody knows which of them it is, one that refuses the monitor is better than none: it lives.
    ///
    /// - Throws: the failure of the one that it was, with what is the matter with the others.
    func ping(
        limit: Duration, report: @escaping AddressedCheck.Report
    ) async throws(PingFailure) {
        guard members.count > 1 else {
            return try await members[0].check.ping(limit: limit, report: report)
        }
        let deadline = Deadline(limit)
        let (first, isKnown) = current.withLock { $0 }
        var failures: [PingFailure] = []
        var refusal: (reason: PingFailure.Reason, found: FoundAddresses)?
        for index in [first] + members.indices.filter({ $0 != first }) {
            let share = deadline.share(of: members.count - failures.count)
            let found = Found()
            do {
                try await members[index].check.ping(limit: share.remaining) { found.set($0.addresses) }
                current.withLock { $0 = (index, true) }
                return report(FoundAddresses(found.addresses, server: members[index].endpoint, isTested: true))
            } catch {
                failures.append(error)
                if refusal == nil, error.kind == .refusal, !found.addresses.isEmpty {
                    let place = FoundAddresses(found.addresses, server: members[index].endpoint, isTested: true)
                    refusal = (error.reason, place)
                }
                // The one that it was lives, or could not be asked. That must not make it another.
                if index == first, isKnown, error.kind != .dead { throw error }
            }
            if deadline.hasPassed { break }
        }
        let words = failures.map(\.detail).joined(separator: "; ")
        guard !isKnown, let refusal else { throw PingFailure(failures[0].reason, words) }
        report(refusal.found)
        throw PingFailure(refusal.reason, words)
    }
}

/// What one of several was found at.
private final class Found: Sendable {
    private let state = Lock<[SocketAddress]>([])

    var addresses: [SocketAddress] { state.withLock { $0 } }

    func set(_ addresses: [SocketAddress]) { state.withLock { $0 = addresses } }
}
