package import FailoverConfiguration
import FailoverCore
import FailoverProxy
import FailoverSystem
import FailoverTLS

/// The TLS contexts of a plan: those for the clients of routes with `client_tls`, and those for the servers of the
/// routes' aliases.
///
/// A reload keeps each context whose settings and files are the same, so that TLS sessions can still be resumed.
struct TLSContexts: Sendable {
    private struct OfRoute: Sendable {
        let settings: TLSServerSettings
        let identity: Contents
        let authorities: Contents
        let context: TLSContext
    }

    private struct OfServer: Sendable {
        let authorities: Contents
        let context: TLSContext
    }

    /// A possible server of an alias, and how the proxy uses TLS with it.
    private struct Server: Hashable, Sendable {
        let alias: String
        let endpoint: Endpoint
        let settings: TLSClientSettings
    }

    /// By the name of the route.
    private var routes: [String: OfRoute] = [:]
    private var servers: [Server: OfServer] = [:]
    private var problems: [TLSFileProblem] = []

    /// - Parameters:
    ///   - tickets: the keys of session tickets of the whole process.
    ///   - former: the contexts that are replaced; `nil`, the default, if there are none.
    /// - Throws: all problems of the files, on one line.
    init(_ plan: RoutePlan, tickets: TicketKeys, after former: TLSContexts? = nil) throws(OperationError) {
        make(plan, tickets, after: former)
        guard problems.isEmpty else {
            throw OperationError(.tls, problems.map { "\($0.keyPath): \($0.message)" }.joined(separator: "; "))
        }
    }

    private init() {}

    /// The mistakes in the files of a configuration: unreadable ones, keys of other certificates.
    static func problems(in configuration: Configuration) throws(TLSFailure) -> [TLSFileProblem] {
        var contexts = TLSContexts()
        contexts.make(RoutePlan(configuration), try TicketKeys(), after: nil)
        return contexts.problems
    }

    // MARK: - Making

    private mutating func make(_ plan: RoutePlan, _ tickets: TicketKeys, after former: TLSContexts?) {
        var used: Set<String> = []
        for route in plan.routes where !route.isRetired {
            guard let settings = route.settings.clientTLS else { continue }
            used.formUnion(route.settings.aliases)
            attempt("services.\(route.name).client_tls") { contexts throws(TLSFailure) in
                contexts.routes[route.name] = try Self.route(route, settings, tickets, former?.routes[route.name])
            }
        }
        for alias in plan.aliases {
            let isUsed = !alias.isRetired && used.contains(alias.database.name)
            for server in Self.servers(of: alias.database) {
                let former = former?.servers[server]
                guard isUsed else {
                    // Cancel requests of sessions that began earlier still need it.
                    servers[server] = former
                    continue
                }
                attempt("databases.\(alias.database.name).tls_ca") { contexts throws(TLSFailure) in
                    contexts.servers[server] = try Self.server(server.settings, former)
                }
            }
        }
    }

    private mutating func attempt(_ keyPath: String, _ work: (inout TLSContexts) throws(TLSFailure) -> Void) {
        do {
            try work(&self)
        } catch {
            let problem = TLSFileProblem(keyPath: keyPath, message: error.message)
            if !problems.contains(problem) { problems.append(problem) }
        }
    }

    private static func route(
        _ route: RoutePlan.PlannedRoute, _ settings: ClientTLSSettings, _ tickets: TicketKeys, _ former: OfRoute?
    ) throws(TLSFailure) -> OfRoute {
        let settings = TLSServerSettings(
            identity: TLSIdentity(certificate: settings.certificate, key: settings.key),
            clientAuthorities: settings.clientAuthorities, minVersion: settings.minVersion,
            speaksPostgres: route.engine == .postgres, name: route.name)
        // Read before the context reads the files: if one of them changes in between, the next reload notices it.
        let identity = Contents(of: [settings.identity.certificate, settings.identity.key])
        let authorities = Contents(of: [settings.clientAuthorities].compactMap(\.self))
        if let former, former.settings == settings, former.identity.isSame(as: identity),
            former.authorities.isSame(as: authorities)
        {
            return former
        }
        return OfRoute(
            settings: settings, identity: identity, authorities: authorities,
            context: try TLSContext.server(settings, tickets: tickets))
    }

    private static func servers(of alias: DatabaseAlias) -> [Server] {
        alias.server.endpoints.compactMap { endpoint in
            TLSClientSettings(alias.server, at: endpoint).map {
                Server(alias: alias.name, endpoint: endpoint, settings: $0)
            }
        }
    }

    private static func server(_ settings: TLSClientSettings, _ former: OfServer?) throws(TLSFailure) -> OfServer {
        let authorities = Contents(of: [settings.authorities].compactMap(\.self))
        if let former, former.authorities.isSame(as: authorities) { return former }
        return OfServer(authorities: authorities, context: try TLSContext.client(settings))
    }

    // MARK: - Use

    /// TLS with the clients of a route; `nil` if it passes through.
    func clientTLS(of route: RoutePlan.PlannedRoute) -> ClientTLS? {
        guard !route.isRetired, let settings = route.settings.clientTLS, let made = routes[route.name] else {
            return nil
        }
        return ClientTLS(
            context: made.context, isRequired: settings.isRequired, maxHandshakes: settings.maxHandshakes)
    }

    /// TLS with the possible servers of an alias.
    func serverTLS(of alias: DatabaseAlias) -> [Endpoint: ServerTLS] {
        Self.servers(of: alias).reduce(into: [:]) { result, server in
            result[server.endpoint] = servers[server].map {
                ServerTLS(context: $0.context, isRequired: alias.server.tls != .prefer)
            }
        }
    }

    /// The certificate that the clients of a route get; `nil` if TLS passes through.
    func certificate(ofRoute name: String) -> CertificateFacts? { routes[name]?.context.certificate }

    /// The files that have other contents than before, where the settings are the same: `slave: certificate changed`.
    func changes(since former: TLSContexts) -> [String] {
        var changes: [String] = []
        for (name, made) in routes.sorted(by: { $0.key < $1.key }) {
            guard let old = former.routes[name], old.settings == made.settings else { continue }
            if !old.identity.isSame(as: made.identity) { changes.append("\(name): certificate changed") }
            if !old.authorities.isSame(as: made.authorities) { changes.append("\(name): client_ca changed") }
        }
        let aliases = servers.compactMap { server, made in
            former.servers[server].flatMap { $0.authorities.isSame(as: made.authorities) ? nil : server.alias }
        }
        return changes + Set(aliases).sorted().map { "alias \($0): tls_ca changed" }
    }
}

/// A mistake in a file that a configuration names for TLS.
package struct TLSFileProblem: Hashable, Sendable {
    /// `services.slave.client_tls`
    package let keyPath: String
    /// One line with the path of the file.
    package let message: String
}

extension Configuration {
    /// The files of `client_tls` with which ``FailoverApplication`` cannot serve this configuration, and why. They are
    /// read now.
    package var tlsProblems: [TLSFileProblem] {
        get throws { try TLSContexts.problems(in: self) }
    }
}

/// What files contain, as a hash that is valid in this process only. It tells whether they have changed.
private struct Contents: Sendable {
    /// `nil` if a file cannot be read.
    private let hash: Int?

    init(of paths: [String]) {
        var hasher = Hasher()
        for path in paths {
            guard let file = try? SmallFile(path: path, maximumSize: 4 << 20) else {
                hash = nil
                return
            }
            hasher.combine(file.text)
        }
        hash = hasher.finalize()
    }

    /// Whether both were readable, and are equal.
    func isSame(as other: Contents) -> Bool { hash != nil && hash == other.hash }
}
