import FailoverCore
import FailoverSystem

/// Tries the addresses of an endpoint in order, until a server answers correctly. Each address gets an equal share of
/// the remaining time, so that a silent one leaves time for the next.
///
/// If several addresses fail, the failure with the highest ``PingFailure/weight`` counts. A failure that concerns the
/// server as a whole ends the search.
struct AddressSearch: Sendable {
    /// The result so far.
    struct Outcome: Sendable {
        /// The last address at which a server has answered.
        var spoke: SocketAddress?
        var failure: PingFailure?
        /// The answer of the healthy server.
        var answer = ServerAnswer()
    }

    private(set) var outcome = Outcome()
    let progress: PingProgress
    private let endpoint: Endpoint
    private let isRemembered: Bool
    private let isOnly: Bool
    private let request: PingRequest
    private let deadline: Deadline
    private let secret: Secret?
    /// The addresses that are left, the next one first.
    private var rest: ArraySlice<SocketAddress>
    private var current: PingAttempt?

    init(
        _ endpoint: Endpoint, _ resolution: NameResolver.Resolution, _ request: PingRequest, until deadline: Deadline,
        secret: Secret?
    ) {
        self.endpoint = endpoint
        self.request = request
        self.deadline = deadline
        self.secret = secret
        isRemembered = resolution.isRemembered
        isOnly = resolution.addresses.count == 1
        rest = Self.withinReach(resolution.addresses)[...]
        progress = PingProgress(peer: endpoint.description, limit: request.limit)
        if rest.isEmpty { outcome.failure = PingFailure(.unresolved, "\(endpoint) has no address") }
    }

    /// The addresses to which this machine has a route; all addresses if there is a route to none. This removes IPv6
    /// addresses on a machine without IPv6.
    private static func withinReach(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard addresses.count > 1 else { return addresses }
        let reached = addresses.filter(\.hasWay)
        return reached.isEmpty ? addresses : reached
    }

    /// The next attempt; `nil` at the end of the search.
    mutating func next() -> PingAttempt? {
        guard let address = rest.first else { return nil }
        let peer = isOnly ? endpoint.description : "\(endpoint) (\(address))"
        progress.begin(peer)
        let attempt = PingAttempt(
            address: address, peer: peer, isRemembered: isRemembered,
            deadline: current?.address == address ? current?.deadline ?? deadline : deadline.share(of: rest.count),
            request: request, progress: progress, secret: secret)
        rest.removeFirst()
        current = attempt
        return attempt
    }

    /// Makes the latest attempt once more, within its deadline.
    mutating func repeatLast() {
        if let current { rest = [current.address] + rest }
    }

    /// Takes the event that the latest attempt found a healthy server.
    mutating func answered(_ answer: ServerAnswer) {
        outcome = Outcome(spoke: current?.address, answer: answer)
        rest = []
    }

    /// Takes the event that the latest attempt failed.
    mutating func failed(_ failure: PingFailure) {
        if failure.reason.isSpoken { outcome.spoke = current?.address }
        if failure.reason.isOfTheServer || outcome.failure.map({ $0.weight <= failure.weight }) ?? true {
            outcome.failure = failure
            progress.failed(failure)
        }
        if failure.reason.isOfTheServer || deadline.hasPassed { rest = [] }
    }
}

extension PingFailure {
    /// The weight of this failure; if several addresses fail, the heaviest one counts. The order: the server refuses,
    /// so it is alive; it reports that it starts or stops; this machine could not ping; other failures; no route.
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
    /// Whether the failure concerns the server as a whole. Its other addresses would give the same result.
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
