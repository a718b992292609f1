import FailoverCore
import FailoverSystem

/// The alternative servers of an alias, in the configured order. The ``ServerRecord`` of a request and its answer
/// tells which of them the alias is.
struct AlternativeServers: Sendable {
    /// The checks of the servers; at least one.
    let members: [AddressedCheck]

    /// Pings the current server of the alias. If that server is dead, it pings the others in order, until one is
    /// healthy. The servers share the time limit, so that a silent one leaves time for the next.
    ///
    /// Until a server has been found healthy, a server that refuses the monitor is used, because it is alive.
    ///
    /// - Returns: the answer. If there are several servers, it contains a location only if the alias uses that server
    ///   from then on. If no server is healthy, it contains the reason of the current server and the details of all.
    func answer(_ request: PingRequest) async -> PingAnswer {
        guard members.count > 1 else { return await members[0].answer(request) }
        let deadline = Deadline(request.limit)
        let known = request.record.known.flatMap(position)
        let first = request.record.refusing.flatMap(position) ?? known ?? 0
        var failures: [PingFailure] = []
        var refusal: (index: Int, reason: PingFailure.Reason, place: ServerLocation)?
        for index in [first] + members.indices.filter({ $0 != first }) {
            var share = request
            share.limit = deadline.share(of: members.count - failures.count).remaining
            var answer = await members[index].answer(share)
            let place = answer.place.map { self.place(index, $0.addresses) }
            guard let failure = answer.failure else {
                answer.place = place
                answer.record = ServerRecord(known: members[index].endpoint)
                return answer
            }
            failures.append(failure)
            // The current server is alive, or could not be pinged. That is no reason to change to another server.
            if index == first, known != nil, failure.kind != .dead { return PingAnswer(failure: failure) }
            if refusal == nil, failure.kind == .refusal, let place { refusal = (index, failure.reason, place) }
            if deadline.hasPassed || Task.isCancelled { break }
        }
        let message = failures.map(\.detail).joined(separator: "; ")
        guard known == nil, let refusal else {
            return PingAnswer(failure: PingFailure(failures[0].reason, message))
        }
        return PingAnswer(
            failure: PingFailure(refusal.reason, message), place: refusal.place,
            record: ServerRecord(refusing: members[refusal.index].endpoint))
    }

    private func position(_ endpoint: Endpoint) -> Int? { members.firstIndex { $0.endpoint == endpoint } }

    private func place(_ index: Int, _ addresses: [SocketAddress]) -> ServerLocation {
        ServerLocation(addresses, server: members[index].endpoint, isTested: true)
    }
}
