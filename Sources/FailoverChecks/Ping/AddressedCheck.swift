import FailoverCore
import FailoverSystem
import Glibc

/// Pings an endpoint: looks up its addresses and tries them in order, as a whole within a limit.
struct AddressedCheck: Sendable {
    /// What became of trying the addresses.
    private struct Outcome: Sendable {
        /// Where a server has spoken last.
        var spoke: SocketAddress?
        var failure: PingFailure?
        /// Of the server that is well.
        var answer = ServerAnswer()
    }

    let endpoint: Endpoint
    let secret: Secret?
    let driver: any PingDriver
    let resolver: NameResolver
    let threads: BlockingThreads
    private let slot = PingSlot()

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
    func answer(_ request: PingRequest) async -> PingAnswer {
        let deadline = Deadline(request.limit)
        let resolution: NameResolver.Resolution
        do { resolution = try await resolver.resolution(of: endpoint, limit: request.limit) } catch {
            return PingAnswer(failure: error)
        }
        let addresses = resolution.addresses
        let outcome: Outcome
        do { outcome = try await self.outcome(request, at: resolution, until: deadline) } catch {
            return PingAnswer(failure: error, place: ServerLocation(addresses, isTested: false))
        }
        let found =
            outcome.spoke.map { spoke in
                ServerLocation([spoke] + addresses.filter { $0 != spoke }, isTested: true)
            } ?? ServerLocation(addresses, isTested: false)
        return PingAnswer(
            failure: outcome.failure, place: found, replication: outcome.answer.replication,
            walPosition: outcome.answer.walPosition, identity: outcome.answer.identity)
    }

    private func outcome(
        _ request: PingRequest, at resolution: NameResolver.Resolution, until deadline: Deadline
    ) async throws(PingFailure) -> Outcome {
        try await slot.take(until: deadline) { [endpoint] in
            PingFailure(.timeout(.hung), "\(endpoint): an earlier ping has not returned yet")
        }
        let progress = PingProgress(peer: endpoint.description, limit: request.limit)
        let tried = Promise<Outcome>()
        do {
            try threads.start {
                let outcome = tryInOrder(resolution, request, until: deadline, progress)
                slot.leave()
                tried.give(outcome)
            }
        } catch {
            slot.leave()
            throw error
        }
        let timers = TimerQueue.system
        let limit = timers.clock.now.advanced(by: deadline.remaining + Self.grace)
        guard let outcome = await tried.value(until: limit, timers) else { throw progress.failureAtTheLimit }
        return outcome
    }

    /// The first address that answers as it should. Each has an equal share of the time that is left, so that a silent
    /// one leaves time for the next.
    ///
    /// Of several that fail the failure counts that says most, and at once what a server says that has let the ping in.
    private func tryInOrder(
        _ resolution: NameResolver.Resolution, _ request: PingRequest, until deadline: Deadline, _ progress: PingProgress
    ) -> Outcome {
        let addresses = Self.withinReach(resolution.addresses)
        guard !addresses.isEmpty else {
            return Outcome(failure: PingFailure(.unresolved, "\(endpoint) has no address"))
        }
        var outcome = Outcome()
        for (index, address) in addresses.enumerated() {
            let peer = resolution.addresses.count == 1 ? endpoint.description : "\(endpoint) (\(address))"
            progress.begin(peer)
            let attempt = PingAttempt(
                address: address, peer: peer, isRemembered: resolution.isRemembered,
                deadline: deadline.share(of: addresses.count - index), request: request, progress: progress,
                secret: secret)
            do {
                return Outcome(spoke: address, answer: try ping(attempt))
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
    private func ping(_ attempt: PingAttempt) throws(PingFailure) -> ServerAnswer {
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
