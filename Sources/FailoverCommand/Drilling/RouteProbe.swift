import FailoverChecks
package import FailoverConfiguration
package import FailoverCore
import FailoverProxy

/// Logs in to a route through its own listener, as a client would, and tells which alias answered.
package struct RouteProbe: Sendable {
    /// What one login came to.
    package struct Answer: Sendable {
        /// `nil` when none answered, or one that is not known.
        package var alias: String?
        package var failure: PingFailure?
    }

    /// Why a route cannot be probed.
    package struct Impossible: Error, CustomStringConvertible {
        package let description: String
    }

    private let check: ServerCheck
    /// The aliases by what their servers say of themselves.
    private let aliases: [String: String]

    /// What a client may wait for at the most before it counts as failed.
    private static let limit = Duration.seconds(10)

    /// - Parameters:
    ///   - name: of a route.
    ///   - alias: the one whose user logs in.
    ///   - listeners: where the route listens, as its status tells.
    /// - Throws: when a login would say nothing about the route. Each alias is logged in to once to find out.
    package init(
        route name: String, alias: String, listeners: [String], of configuration: Configuration
    ) async throws(Impossible) {
        guard case .database(let route) = configuration.service(named: name)?.kind,
            var server = configuration.database(named: alias)?.server
        else { throw Impossible(description: "the configuration has no such route") }
        guard server.engine != .tcp else { throw Impossible(description: "there is no login to engine: tcp") }
        guard !route.session.acceptProxy else {
            throw Impossible(description: "the listener waits for a balancer's PROXY header")
        }
        let endpoints = listeners.compactMap { try? Endpoint(listenText: $0) }
        guard
            let listener = (endpoints.first { if case .tcp = $0 { true } else { false } } ?? endpoints.first)?.reachable
        else { throw Impossible(description: "the route has no listener") }
        server.pingQuery = "SELECT 1"
        server.role = nil
        server.replication = nil
        // Clients connect to another name than the certificate's.
        if server.tls == .verifyFull { server.tls = .verifyCA }
        aliases = try await Self.identities(of: route.aliases, asking: server, in: configuration)
        server = server.at(listener)
        check = CheckFactory.shared.check(of: server)
    }

    /// Logs in once, asks, and says goodbye. One at a time.
    package func login() async -> Answer {
        let answer = await check.answer(PingRequest(limit: Self.limit, wantsIdentity: true))
        if let failure = answer.failure { return Answer(failure: failure) }
        return Answer(alias: answer.identity.flatMap { aliases[$0] })
    }

    private static func identities(
        of names: [String], asking server: DatabaseServer, in configuration: Configuration
    ) async throws(Impossible) -> [String: String] {
        var aliases: [String: String] = [:]
        let places = names.flatMap { name in
            (configuration.database(named: name)?.server.endpoints ?? []).map { (name: name, endpoint: $0) }
        }
        for (name, endpoint) in places {
            let check = CheckFactory.shared.check(of: server.at(endpoint))
            let answer = await check.answer(PingRequest(limit: .seconds(3), wantsIdentity: true))
            if let failure = answer.failure, failure.reason == .authentication {
                throw Impossible(description: "\(name) does not take the user: \(failure.detail)")
            }
            // Others may be out of reach for all but the proxy; the probes still tell how long they wait. A server that
            // several aliases may be is the first of them.
            if let identity = answer.identity, aliases[identity] == nil { aliases[identity] = name }
        }
        return aliases
    }
}

/// What the logins of a drill came to. Times since it began.
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

    /// - Parameter changes: when sessions were closed. A probe that was under way then has not failed: it was cut, as
    ///   clients' sessions were.
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

/// ``ProbeTally`` in figures.
package struct ProbeSummary: Hashable, Sendable {
    package var count: Int
    /// Those that were under way when sessions were closed, and closed with them.
    package var cut = 0
    /// The words of those that failed otherwise, and how many had them.
    package var errors: [String: Int] = [:]
    /// Those that succeeded, by the alias that answered.
    package var aliases: [String: Int] = [:]
    /// Of those that succeeded.
    package var median: Duration?
    package var longest: Duration?
    /// Between two successes, or before the first or after the last.
    package var longestGap: Duration?

    package var failed: Int { errors.values.reduce(0, +) }

    package init(count: Int) { self.count = count }
}
