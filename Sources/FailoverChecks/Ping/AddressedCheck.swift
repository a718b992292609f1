import FailoverCore
import FailoverSystem
import Glibc

/// Pings an endpoint: looks up its addresses and tries them in order, all within one time limit.
struct AddressedCheck: Sendable {
    /// How the endpoint is pinged.
    enum Driving: Sendable {
        /// On a thread that may block.
        case blocking(any PingDriver)
        case waiting(any WaitingPingDriver)
    }

    let endpoint: Endpoint
    let secret: Secret?
    let driver: Driving
    let resolver: NameResolver
    let threads: BlockingThreads
    private let slot = PingSlot()

    /// The extra time before the check stops waiting for a driver. A driver returns at the deadline by itself, and its
    /// failure names what it waited for.
    private static let grace = Duration.milliseconds(150)
    private static let pauseOfFullQueue = Duration.milliseconds(20)

    init(
        endpoint: Endpoint, secret: Secret?, driver: Driving, resolver: NameResolver, threads: BlockingThreads
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
        var search = AddressSearch(endpoint, resolution, request, until: deadline, secret: secret)
        switch driver {
        case .waiting(let driver): await ping(driver, &search)
        case .blocking(let driver):
            do { search = try await ended(search, driver, until: deadline) } catch {
                return PingAnswer(failure: error, place: ServerLocation(addresses, isTested: false))
            }
        }
        let outcome = search.outcome
        let found =
            outcome.spoke.map { spoke in
                ServerLocation([spoke] + addresses.filter { $0 != spoke }, isTested: true)
            } ?? ServerLocation(addresses, isTested: false)
        return PingAnswer(
            failure: outcome.failure, place: found, replication: outcome.answer.replication,
            walPosition: outcome.answer.walPosition, identity: outcome.answer.identity, tls: outcome.answer.tls)
    }

    private func ping(_ driver: any WaitingPingDriver, _ search: inout AddressSearch) async {
        while let attempt = search.next() {
            do { search.answered(try await driver.ping(attempt)) } catch {
                search.failed(error)
                guard !Task.isCancelled else { return }
                guard isRepeated(attempt, error) else { continue }
                search.repeatLast()
                try? await Task.sleep(for: Self.pauseOfFullQueue)
            }
        }
    }

    /// Runs the search on a thread, and returns it with its outcome.
    private func ended(
        _ search: AddressSearch, _ driver: any PingDriver, until deadline: Deadline
    ) async throws(PingFailure) -> AddressSearch {
        try await slot.take(until: deadline) { [endpoint] in
            PingFailure(.timeout(.hung), "\(endpoint): an earlier ping has not returned yet")
        }
        let tried = Promise<AddressSearch>()
        do {
            try threads.start {
                var search = search
                ping(driver, &search)
                slot.leave()
                tried.give(search)
            }
        } catch {
            slot.leave()
            throw error
        }
        let timers = TimerQueue.system
        let limit = timers.clock.now.advanced(by: deadline.remaining + Self.grace)
        guard let ended = await tried.value(until: limit, timers) else { throw search.progress.failureAtTheLimit }
        return ended
    }

    private func ping(_ driver: any PingDriver, _ search: inout AddressSearch) {
        while let attempt = search.next() {
            do { search.answered(try driver.ping(attempt)) } catch {
                search.failed(error)
                guard isRepeated(attempt, error) else { continue }
                search.repeatLast()
                usleep(UInt32(Self.pauseOfFullQueue / .microseconds(1)))
            }
        }
    }

    /// Whether the attempt is repeated. A connect to a Unix socket with a full backlog fails immediately, without an
    /// event to wait for. A busy server will make room in the backlog; a stopped one will not.
    private func isRepeated(_ attempt: PingAttempt, _ failure: PingFailure) -> Bool {
        attempt.address.isUnix && failure.reason == .timeout(.connecting)
            && attempt.deadline.remaining > Self.pauseOfFullQueue
    }
}

/// A slot for one ping at a time. It is taken until the thread of the ping has returned. That may be long after the
/// caller has stopped waiting.
final class PingSlot: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [ObjectIdentifier: Promise<Void>] = [:]
    }

    private let state = Lock(State())

    /// Takes the slot as soon as an earlier ping has left it. A ping that returns slightly late must not count as two
    /// failures.
    ///
    /// - Throws: the result of `hung` if the slot is not free by the deadline.
    func take(until deadline: Deadline, orFail hung: () -> PingFailure) async throws(PingFailure) {
        while let left = takeOrQueue() {
            defer { state.withLock { $0.waiting[ObjectIdentifier(left)] = nil } }
            let timers = TimerQueue.system
            let limit = timers.clock.now.advanced(by: deadline.remaining)
            guard await left.value(until: limit, timers) != nil else { throw hung() }
        }
    }

    func leave() {
        let waiting = state.withLock { state in
            state.isTaken = false
            return Array(state.waiting.values)
        }
        for left in waiting { left.give(()) }
    }

    /// - Returns: a promise that is fulfilled when the slot is free; `nil` if the slot was free and is now taken.
    private func takeOrQueue() -> Promise<Void>? {
        state.withLock { state in
            guard state.isTaken else {
                state.isTaken = true
                return nil
            }
            let left = Promise<Void>()
            state.waiting[ObjectIdentifier(left)] = left
            return left
        }
    }
}

/// The identity of a database server, which a ping can query. It is the same at every address of the server.
enum ServerIdentity {
    /// Queries the start time of the server, to the microsecond. Any user may do so.
    static let postgresQuestion = PostgresQuestion(
        "SELECT extract(epoch FROM pg_postmaster_start_time())", called: "the query for the server's start time")
    /// Queries the host name, the port and the server ID. Servers on one machine have different ports, and replicas
    /// must have different server IDs. Any user may query them.
    static let mysqlQuestion = "SELECT @@hostname AS hostname, @@port AS port, @@server_id AS server_id"

    static func text(postgres rows: [[String?]]) -> String? { rows.first?.first.flatMap(\.self) }

    static func text(mysql rows: [[String: String]]) -> String? {
        rows.first.map { row in ["hostname", "port", "server_id"].map { row[$0] ?? "" }.joined(separator: " ") }
    }
}

extension DatabaseServer.Role {
    /// The failure message for a server that does not have this role.
    var contradiction: String {
        switch self {
        case .replica: "is a primary, not a replica: it was promoted"
        case .primary: "is a replica, not a primary"
        }
    }
}
