package import FailoverConfiguration
import FailoverCore

/// Combinations of keys that are valid but cause problems. `failover validate` warns of them, and `failover doctor`
/// includes them in its findings.
package struct ConfigurationDiagnosis {
    package private(set) var findings: [Finding] = []
    /// What `failover validate` cannot decide. Doctor asks the servers instead.
    package var notes: [ConfigurationNote] { configuration.channelBindingNotes + configuration.clientCertificateNotes }

    private let configuration: Configuration
    /// The PROXY headers that routes send, by alias.
    private var sent: [String: [(route: String, header: ProxyHeaderVersion?)]] = [:]

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        for (name, route) in configuration.databaseRoutes {
            for alias in route.aliases { sent[alias, default: []].append((name, route.session.sendProxy)) }
        }
        for alias in configuration.databases {
            lookAtProxyHeaders(of: alias)
            lookAtTLS(of: alias)
        }
        for (name, route) in configuration.databaseRoutes {
            lookAtClientsAddresses(name, route)
            lookAtStaleness(name, route)
        }
    }

    private mutating func find(_ kind: Finding.Kind, _ subject: Finding.Subject, _ reason: String, remedy: String) {
        findings.append(Finding(kind, subject, reason, remedy: remedy))
    }

    /// Finds an alias to which routes send different PROXY headers. A server either expects the header or does not know
    /// it.
    private mutating func lookAtProxyHeaders(of alias: DatabaseAlias) {
        let routes = sent[alias.name, default: []]
        guard Set(routes.map(\.header)).count > 1 else { return }
        let choices = routes.map { "\($0.route): \(SendProxyChoice($0.header).rawValue)" }
        find(
            .proxyHeadersDiffer, .alias(alias.name),
            "routes send different PROXY headers to this alias (\(choices.joined(separator: ", "))); its pings "
                + "send \(alias.server.proxyHeader?.rawValue ?? "none")", remedy: "the same send_proxy in each route")
    }

    /// Finds an alias whose pings log in to another machine with a password, but do not verify the server's name.
    private mutating func lookAtTLS(of alias: DatabaseAlias) {
        let server = alias.server
        guard server.engine != .tcp, server.password != nil, server.tls != .verifyFull,
            let other = server.endpoints.first(where: { !$0.isOnThisMachine })
        else { return }
        let risk =
            server.engine == .mysql && server.tls != .disable
            ? "can read the password of the pings" : "can answer the pings"
        find(
            .serverUnverified, .alias(alias.name),
            "tls is \(server.tls.rawValue) and \(other) is on another machine: an attacker on the network \(risk)",
            remedy: "databases.\(alias.name).tls: verify-full, and tls_ca")
    }

    /// Finds a route that accepts PROXY headers from any machine. A machine that sends the header chooses the client's
    /// address, and can evade everything that depends on it.
    private mutating func lookAtClientsAddresses(_ name: String, _ route: DatabaseRoute) {
        guard route.session.acceptProxy, route.allow == nil,
            let open = route.listen.first(where: { !$0.isOnThisMachine })
        else { return }
        find(
            .headersUnfenced, .route(name),
            "any machine that connects to \(open) can claim any client address, for the log, the limits and send_proxy",
            remedy: "services.\(name).allow: the load balancers' addresses")
    }

    /// Finds a route that refuses clients when its primary has been down for `max_lag`, because the age of its only
    /// replica's data is then unknown.
    private mutating func lookAtStaleness(_ name: String, _ route: DatabaseRoute) {
        guard !route.servesStale else { return }
        let replicas = route.aliases.compactMap(configuration.database(named:))
            .filter { $0.server.replication?.maxLag != nil }
        guard replicas.count == 1, let replica = replicas.first, let maxLag = replica.server.replication?.maxLag else {
            return
        }
        find(
            .staleRefused, .route(name),
            "serve_stale is false, and \(replica.name) is the only alias with max_lag: when its primary is down, "
                + "\(replica.name) is stale after \(maxLag.inWords), and clients are refused although it could answer",
            remedy: "services.\(name).serve_stale: true, or another replica in db_alias")
    }
}

extension Endpoint {
    /// Whether a connection to it stays on this machine.
    fileprivate var isOnThisMachine: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
        }
    }
}
