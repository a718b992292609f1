import FailoverCore
import FailoverSystem
import Glibc

/// Pings an endpoint: looks up its addresses and tries them in order, all within one time limit.
struct AddressedCheck: Sendable {
    /// The result of trying the addresses.
    private struct Outcome: Sendable {
        /// The last address at which a server has answered.
        var spoke: SocketAddress?
        var failure: PingFailure?
        /// The answer of the healthy server.
        var answer = ServerAnswer()
    }

    let endpoint: Endpoint
    let secret: Secret?
    let driver: any PingDriver
    let resolver: NameResolver
    let threads: BlockingThreads
    private let slot = PingSlot()

    /// The extra time after which a driver is abandoned. A driver returns at the deadline by itself, and it knows
    /// best what it waited for.
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

    /// Tries the addresses until one answers correctly. Each gets an equal share of the remaining time, so that a
    /// silent address leaves time for the next.
    ///
    /// If several addresses fail, the failure with the highest ``PingFailure/weight`` is returned. A failure after a
    /// server has accepted the login is returned at once.
    private func tryInOrder(
        _ resolution: NameResolver.Resolution, _ request: PingRequest, until deadline: Deadline,
        _ progress: PingProgress
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

    /// The addresses without those that this machine has no route to, such as IPv6 addresses without IPv6; all
    /// addresses if none has a route.
    private static func withinReach(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard addresses.count > 1 else { return addresses }
        let reached = addresses.filter(\.hasWay)
        return reached.isEmpty ? addresses : reached
    }

    /// A Unix socket with a full backlog fails immediately, and there is nothing to wait for. So the ping is
    /// repeated: a busy server makes room in the backlog, a stopped one does not.
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
    /// The weight of this failure when several addresses fail: a server that refuses is alive, a server that reports
    /// its state knows it, and a server that could not be asked may be alive.
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
    /// Whether the failure applies to the server as a whole. Another address of it would give the same result.
    fileprivate var isOfTheServer: Bool {
        switch self {
        case .authentication, .userLimit, .tls, .query, .unanswered, .timeout(.question), .heartbeat, .wrongRole,
            .replicationStopped, .missingPrivilege:
            true
        default: false
        }
    }

    /// Whether a server has answered at the address.
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
