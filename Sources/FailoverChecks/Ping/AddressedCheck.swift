import FailoverCore
import FailoverSystem
import Glibc

/// Pings an endpoint: looks up its addresses and tries them in order, as a whole within a limit.
struct AddressedCheck: Sendable {
    typealias Report = @Sendable (FoundAddresses) -> Void

    /// What became of trying the addresses.
    private struct Outcome: Sendable {
        /// Where a server has spoken last.
        var spoke: SocketAddress?
        var failure: PingFailure?
    }

    let endpoint: Endpoint
    let secret: Secret?
    let driver: any PingDriver
    let resolver: NameResolver
    let threads: BlockingThreads
    private let occupancy = Occupancy()

    /// A driver ends by itself at the deadline and knows best what it waited for. So it has this much more before its
    /// caller leaves it alone.
    private static let grace = Duration.milliseconds(150)

    init(
        endpoint: Endpoint, secret: Secret?, driver: any PingDriver, resolver: NameResolver, threads: BlockingThreads
    ) {
        self.endpoint = endpoint
        self.secret = secret
        self.driver = driver
        self.resolver = resolver
        self.threads = threads
    }

    /// Pings once.
    ///
    /// - Parameter report: called with the addresses after the look-up, and once more when a server has answered at one
    ///   of them, with that in front.
    func ping(limit: Duration, report: @escaping Report) async throws(PingFailure) {
        let deadline = Deadline(limit)
        let place = try await resolver.place(of: endpoint, limit: limit)
        let addresses = place.addresses
        report(FoundAddresses(addresses, isTested: false))

        try await occupancy.take(until: deadline) { [endpoint] in
            PingFailure(.timeout(.hung), "\(endpoint): an earlier ping has not returned yet")
        }
        let progress = PingProgress(peer: endpoint.description, limit: limit)
        let answer = Answer<Outcome>()
        do {
            try threads.start {
                let outcome = tryInOrder(place, until: deadline, progress)
                occupancy.leave()
                answer.give(.success(outcome))
            }
        } catch {
            occupancy.leave()
            throw error
        }
        let outcome = try await answer.take(within: deadline.remaining + Self.grace) { progress.failureAtTheLimit }
        if let spoke = outcome.spoke {
            report(FoundAddresses([spoke] + addresses.filter { $0 != spoke }, isTested: true))
        }
        if let failure = outcome.failure { throw failure }
    }

    /// The first address that answers as it should. Each has an equal share of the time that is left, so that a silent
    /// one leaves time for the next.
    ///
    /// Of several that fail the failure counts that says most, and at once what a server says that has let the ping in.
    private func tryInOrder(
        _ place: NameResolver.Place, until deadline: Deadline, _ progress: PingProgress
    ) -> Outcome {
        let addresses = Self.withinReach(place.addresses)
        guard !addresses.isEmpty else {
            return Outcome(failure: PingFailure(.unresolved, "\(endpoint) has no address"))
        }
        var outcome = Outcome()
        for (index, address) in addresses.enumerated() {
            let peer = place.addresses.count == 1 ? endpoint.description : "\(endpoint) (\(address))"
            progress.begin(peer)
            let attempt = PingAttempt(
                address: address, peer: peer, isRemembered: place.isRemembered,
                deadline: deadline.share(of: addresses.count - index), progress: progress, secret: secret)
            do {
                try ping(attempt)
                return Outcome(spoke: address)
            } catch {
                if error.reason.isSpoken { outcome.spoke = address }
                if error.reason.isOfTheServer || outcome.failure.map({ $0.weight <= error.weight }) ?? true {
                    outcome.failure = error
                    progress.failed(error)
                }
                if error.reason.isOfTheServer || deadline.hasPassed { break }
            }
        }
        return outcome
    }

    /// Without those that this machine has no way to, as those of IPv6 where there is none; unless all are such.
    private static func withinReach(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard addresses.count > 1 else { return addresses }
        let reached = addresses.filter(\.hasWay)
        return reached.isEmpty ? addresses : reached
    }

    /// A Unix socket whose queue is full says so at once and offers nothing to wait for. A server that is busy makes room in
    /// it; one that is stopped does not.
    private func ping(_ attempt: PingAttempt) throws(PingFailure) {
        while true {
            do { return try driver.ping(attempt) } catch {
                guard attempt.address.isUnix, error.reason == .timeout(.connecting),
                    attempt.deadline.remaining > Self.pauseOfFullQueue
                else { throw error }
            }
            usleep(UInt32(Self.pauseOfFullQueue / .microseconds(1)))
        }
    }

    private static let pauseOfFullQueue = Duration.milliseconds(20)
}

extension PingFailure {
    /// How much it says when several addresses fail: a server that refuses lives, one that speaks of its state knows it, one
    /// that could not be asked may live.
    var weight: Int {
        switch (kind, reason) {
        case (.refusal, _): 4
        case (_, .startingUp), (_, .shuttingDown): 3
        case (.local, _): 2
        case (.dead, .unreachable): 0
        case (.dead, _): 1
        }
    }
}

extension PingFailure.Reason {
    /// Whether the server at the address has spoken for all: another address of it would say the same.
    fileprivate var isOfTheServer: Bool {
        switch self {
        case .authentication, .userLimit, .tls, .query, .unanswered, .timeout(.question), .heartbeat, .wrongRole,
            .replicationStopped, .missingPrivilege:
            true
        default: false
        }
    }

    /// Whether a server is at the address, and said so.
    fileprivate var isSpoken: Bool {
        switch self {
        case .authentication, .startingUp, .shuttingDown, .tooManyConnections, .userLimit, .hostBlocked, .tls, .query,
            .unanswered, .timeout(.question), .heartbeat, .wrongRole, .replicationStopped, .missingPrivilege, .cutOff:
            true
        case .refused, .timeout, .unresolved, .unreachable, .disconnected, .protocolViolation, .serversDown, .command,
            .local, .drill, .other:
            false
        }
    }
}
