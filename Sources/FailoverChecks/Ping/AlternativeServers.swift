import FailoverCore
import FailoverSystem

/// The servers that an alias may be, in the order of the configuration. Which of them it is stands in the ``ServerRecord`` of
/// a request and its answer.
struct AlternativeServers: Sendable {
    /// Several servers' checks. At least one.
    let members: [AddressedCheck]

    /// Pings the one that it is; if that fails, the others in turn, until one is well. They share the time, so that a silent
    /// one leaves time for the next.
    ///
    /// Until one was found well, one that refuses the monitor is taken, since it lives.
    ///
    /// - Returns: of a single server where it was looked for; of several only where the one is that it is from then on. When
    ///   none is well, the failure of the one that it was, with what is the matter with the others.
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
            // The one that it was lives, or could not be asked. That must not make it another.
            if index == first, known != nil, failure.kind != .dead { return PingAnswer(failure: failure) }
            if refusal == nil, failure.kind == .refusal, let place { refusal = (index, failure.reason, place) }
            if deadline.hasPassed { break }
        }
        let words = failures.map(\.detail).joined(separator: "; ")
        guard known == nil, let refusal else {
            return PingAnswer(failure: PingFailure(failures[0].reason, words))
        }
        return PingAnswer(
            failure: PingFailure(refusal.reason, words), place: refusal.place,
            record: ServerRecord(refusing: members[refusal.index].endpoint))
    }

    private func position(_ endpoint: Endpoint) -> Int? { members.firstIndex { $0.endpoint == endpoint } }

    private func place(_ index: Int, _ addresses: [SocketAddress]) -> ServerLocation {
        ServerLocation(addresses, server: members[index].endpoint, isTested: true)
    }
}
