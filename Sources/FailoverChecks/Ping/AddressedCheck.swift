import FailoverCore
import FailoverSystem

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
        let addresses = try await resolver.addresses(of: endpoint, limit: limit)
        report(FoundAddresses(addresses, isTested: false))

        try await occupancy.take(until: deadline) { [endpoint] in
            PingFailure(.timeout(.hung), "\(endpoint): an earlier ping has not returned yet")
        }
        let progress = PingProgress(peer: endpoint.description, limit: limit)
        let answer = Answer<Outcome>()
        do {
            try threads.start {
                let outcome = tryInOrder(addresses, until: deadline, progress)
                occupancy.leave()
                answer.give(.success(outcome))
            }
        } catch {
            occupancy.leave()
            throw error
        }
        let outcome = try await answer.take(within: deadline.remaining + Self.grace) { progress.timeout }
        if let spoke = outcome.spoke {
            report(FoundAddresses([spoke] + addresses.filter { $0 != spoke }, isTested: true))
        }
        if let failure = outcome.failure { throw failure }
    }

    /// The first address that answers as it should. Each has an equal share of the time that is left, so that a silent
    /// one leaves time for the next.
    private func tryInOrder(
        _ addresses: [SocketAddress], until deadline: Deadline, _ progress: PingProgress
    ) -> Outcome {
        var spoke: SocketAddress?
        var failure = PingFailure(.unresolved, "\(endpoint) has no address")
        for (index, address) in addresses.enumerated() {
            let peer = addresses.count == 1 ? endpoint.description : "\(endpoint) (\(address))"
            progress.begin(peer)
            let attempt = PingAttempt(
                address: address, peer: peer, deadline: deadline.share(of: addresses.count - index),
                progress: progress, secret: secret)
            do {
                try driver.ping(attempt)
                return Outcome(spoke: address)
            } catch {
                if error.reason.isSpoken { spoke = address }
                // A host without IPv6 says so at once of each IPv6 address; what an IPv4 address said tells more.
                if index == 0 || error.reason != .unreachable { failure = error }
                if error.reason.isVerdict || deadline.hasPassed { break }
            }
        }
        return Outcome(spoke: spoke, failure: failure)
    }
}

extension PingFailure.Reason {
    /// Whether the server at the address has spoken for all: another address of it would say the same.
    fileprivate var isVerdict: Bool {
        switch self {
        case .authentication, .tls, .query, .heartbeat, .wrongRole, .replicationStopped, .missingPrivilege, .local: true
        default: false
        }
    }

    /// Whether a server is at the address, and said so.
    fileprivate var isSpoken: Bool {
        switch self {
        case .authentication, .startingUp, .shuttingDown, .tooManyConnections, .hostBlocked, .tls, .query, .heartbeat,
            .wrongRole, .replicationStopped, .missingPrivilege, .cutOff:
            true
        case .refused, .timeout, .unresolved, .unreachable, .disconnected, .protocolViolation, .serversDown, .command,
            .local, .drill, .other:
            false
        }
    }
}
