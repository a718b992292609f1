import FailoverCore
import FailoverProxy

/// Combinations of keys that are allowed and will bite: `failover validate` warns of them, `failover doctor` has them among
/// its findings.
package struct ConfigurationDiagnosis {
    package private(set) var findings: [Finding] = []

    private let configuration: Configuration
    /// What the routes of each alias send.
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

    /// A server either wants the header or does not know it.
    private mutating func lookAtProxyHeaders(of alias: DatabaseAlias) {
        let routes = sent[alias.name, default: []]
        guard Set(routes.map(\.header)).count > 1 else { return }
        let words = routes.map { "\($0.route): \(SendProxyChoice($0.header).rawValue)" }
        find(
            .proxyHeadersDiffer, .alias(alias.name),
            "routes disagree about the PROXY header that it is sent (\(words.joined(separator: ", "))); its pings send "
                + (alias.server.proxyHeader?.rawValue ?? "none"), remedy: "the same send_proxy in each of them")
    }

    /// Pings give the password to a server whose name is not checked.
    private mutating func lookAtTLS(of alias: DatabaseAlias) {
        let server = alias.server
        guard server.engine != .tcp, server.password != nil, server.tls != .verifyFull,
            let other = server.endpoints.first(where: { !$0.isOnThisMachine })
        else { return }
        let risk =
            server.engine == .mysql && server.tls != .disable
            ? "can read the password of its pings" : "can answer its pings"
        find(
            .serverUnverified, .alias(alias.name),
            "tls is \(server.tls.rawValue) and \(other) is another machine: somebody on the way to it \(risk)",
            remedy: "databases.\(alias.name).tls: verify-full, and tls_ca")
    }

    /// A machine that writes the header says where its client is, and so gets past what is decided by that.
    private mutating func lookAtClientsAddresses(_ name: String, _ route: DatabaseRoute) {
        guard route.session.acceptProxy, route.allow == nil,
            let open = route.listen.first(where: { !$0.isOnThisMachine })
        else { return }
        find(
            .headersUnfenced, .route(name),
            "accept_proxy believes any machine that connects to \(open) where a client is, for the log, limits and send_proxy",
            remedy: "services.\(name).allow: the balancers' addresses")
    }

    /// The only replica can't tell how old its data is once the primary is gone.
    private mutating func lookAtStaleness(_ name: String, _ route: DatabaseRoute) {
        guard !route.servesStale else { return }
        let replicas = route.aliases.compactMap(configuration.database(named:))
            .filter { $0.server.replication?.maxLag != nil }
        guard replicas.count == 1, let replica = replicas.first, let maxLag = replica.server.replication?.maxLag else {
            return
        }
        find(
            .staleRefused, .route(name),
            "serve_stale is false, and \(replica.name) is the only alias with max_lag: when its primary is down, it is stale "
                + "after \(maxLag.inWords), and clients are refused though it could answer",
            remedy: "services.\(name).serve_stale: true, or another replica in db_alias")
    }
}

extension Endpoint {
    /// Whether the way there does not leave this machine.
    fileprivate var isOnThisMachine: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
        }
    }
}
