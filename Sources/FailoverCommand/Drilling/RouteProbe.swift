import FailoverChecks
package import FailoverConfiguration
package import FailoverCore
import FailoverProxy

/// Logs in to a route through its own listener, as a client would, and returns the alias that answered.
package struct RouteProbe: Sendable {
    /// The result of one login.
    package struct Answer: Sendable {
        /// `nil` if no alias answered, or an unknown one.
        package var alias: String?
        package var failure: PingFailure?
    }

    private let check: ServerCheck
    /// The aliases by the identities that their servers report.
    private let aliases: [String: String]

    /// The time limit of a login.
    private static let limit = Duration.seconds(10)

    /// Logs in to each alias once, to learn the identity of its server.
    ///
    /// - Parameters:
    ///   - name: the route's name.
    ///   - alias: the alias whose user logs in.
    ///   - listeners: the route's listeners, from its status.
    /// - Throws: if the route cannot be probed, or an alias does not accept the user.
    package init(
        route name: String, alias: String, listeners: [String], of configuration: Configuration
    ) async throws(OperationError) {
        guard case .database(let route) = configuration.service(named: name)?.kind,
            var server = configuration.database(named: alias)?.server
        else { throw OperationError(.drill, "the configuration has no such route") }
        guard server.engine != .tcp else { throw OperationError(.drill, "engine tcp has no login") }
        guard !route.session.acceptProxy else {
            throw OperationError(.drill, "the listener expects a load balancer's PROXY header")
        }
        let endpoints = listeners.compactMap { try? Endpoint(listenText: $0) }
        guard
            let listener = (endpoints.first { if case .tcp = $0 { true } else { false } } ?? endpoints.first)?.reachable
        else { throw OperationError(.drill, "the route has no listener") }
        server.pingQuery = "SELECT 1"
        server.role = nil
        server.replication = nil
        // The listener's name is not in the server's certificate.
        if server.tls == .verifyFull { server.tls = .verifyCA }
        aliases = try await Self.identities(of: route.aliases, asking: server, in: configuration)
        server = server.at(listener)
        check = CheckFactory.shared.check(of: server)
    }

    /// Logs in once, asks for the identity, and logs out. Make only one call at a time.
    package func login() async -> Answer {
        let answer = await check.answer(PingRequest(limit: Self.limit, wantsIdentity: true))
        if let failure = answer.failure { return Answer(failure: failure) }
        return Answer(alias: answer.identity.flatMap { aliases[$0] })
    }

    private static func identities(
        of names: [String], asking server: DatabaseServer, in configuration: Configuration
    ) async throws(OperationError) -> [String: String] {
        var aliases: [String: String] = [:]
        let places = names.flatMap { name in
            (configuration.database(named: name)?.server.endpoints ?? []).map { (name: name, endpoint: $0) }
        }
        let answers = await withTaskGroup { group in
            for (index, place) in places.enumerated() {
                let check = CheckFactory.shared.check(of: server.at(place.endpoint))
                group.addTask { (index, await check.answer(PingRequest(limit: Self.limit, wantsIdentity: true))) }
            }
            var answers: [(index: Int, answer: PingAnswer)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.index < $1.index }
        }
        for (index, answer) in answers {
            let name = places[index].name
            if let failure = answer.failure, failure.reason == .authentication {
                throw OperationError(.drill, "\(name) does not accept the user: \(failure.detail)")
            }
            // Other failures are ignored: the server may be reachable only from the proxy, and probes can still measure
            // how long clients wait. If several aliases are the same server, its identity stands for the first one.
            if let identity = answer.identity, aliases[identity] == nil { aliases[identity] = name }
        }
        return aliases
    }
}

/// The results of a drill's logins. Times are relative to its start.
package struct ProbeTally: Sendable {
    private struct Probe {
        let began: Duration
        let ended: Duration
        let answer: RouteProbe.Answer
    }

    private var probes: [Probe] = []

    package init() {}

    package mutating func add(_ answer: RouteProbe.Answer, began: Duration, ended: Duration) {
        probes.append(Probe(began: began, ended: ended, answer: answer))
    }

    /// - Parameter changes: when sessions were closed. A probe in progress at such a time does not count as failed: it
    ///   was closed together with the clients' sessions.
    package func summary(changes: [ClosedRange<Duration>]) -> ProbeSummary {
        var summary = ProbeSummary(count: probes.count)
        var waits: [Duration] = []
        var lastSuccess = probes.first?.began ?? .zero
        for probe in probes {
            guard let failure = probe.answer.failure else {
                waits.append(probe.ended - probe.began)
                summary.longestGap = max(summary.longestGap ?? .zero, probe.ended - lastSuccess)
                lastSuccess = probe.ended
                summary.aliases[probe.answer.alias ?? "unknown", default: 0] += 1
                continue
            }
            if changes.contains(where: { $0.overlaps(probe.began...probe.ended) }) {
                summary.cut += 1
            } else {
                summary.errors["\(failure)", default: 0] += 1
            }
        }
        if let last = probes.last, last.answer.failure != nil {
            summary.longestGap = max(summary.longestGap ?? .zero, last.ended - lastSuccess)
        }
        waits.sort()
        summary.longest = waits.last
        summary.median = waits.isEmpty ? nil : waits[waits.count / 2]
        return summary
    }
}

/// The figures of ``ProbeTally``.
package struct ProbeSummary: Hashable, Sendable {
    package var count: Int
    /// Probes that were in progress when sessions were closed, and that were closed with them.
    package var cut = 0
    /// The messages of the other failed probes, with their counts.
    package var errors: [String: Int] = [:]
    /// Successful probes, by the alias that answered.
    package var aliases: [String: Int] = [:]
    /// The median and the longest duration of the successful probes.
    package var median: Duration?
    package var longest: Duration?
    /// The longest time without a success: between two successes, before the first, or after the last.
    package var longestGap: Duration?

    package var failed: Int { errors.values.reduce(0, +) }

    package init(count: Int) { self.count = count }
}
