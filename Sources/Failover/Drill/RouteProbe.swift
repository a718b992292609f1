import FailoverChecks
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
    private let identity: ServerIdentity
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
        identity = ServerIdentity()
        check = ServerCheck(
            server: server, identity: identity, resolver: CheckFactory.shared.resolver,
            threads: CheckFactory.shared.threads)
    }

    /// Logs in once, asks, and says goodbye. One at a time.
    package func login() async -> Answer {
        do throws(PingFailure) {
            try await check.ping(limit: Self.limit)
            return Answer(alias: identity.text.flatMap { aliases[$0] })
        } catch {
            return Answer(failure: error)
        }
    }

    private static func identities(
        of names: [String], asking server: DatabaseServer, in configuration: Configuration
    ) async throws(Impossible) -> [String: String] {
        var aliases: [String: String] = [:]
        let places = names.flatMap { name in
            (configuration.database(named: name)?.server.endpoints ?? []).map { (name: name, endpoint: $0) }
        }
        for (name, endpoint) in places {
            let server = server.at(endpoint)
            let identity = ServerIdentity()
            let check = ServerCheck(
                server: server, identity: identity, resolver: CheckFactory.shared.resolver,
                threads: CheckFactory.shared.threads)
            do throws(PingFailure) {
                try await check.ping(limit: .seconds(3))
                // One that several aliases may be is the first of them.
                if let text = identity.text, aliases[text] == nil { aliases[text] = name }
            } catch  where error.reason == .authentication {
                throw Impossible(description: "\(name) does not take the user: \(error.detail)")
            } catch {
                // Only the proxy may reach it; the probes still tell how long they wait.
                continue
            }
        }
        return aliases
    }
}
