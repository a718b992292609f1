import FailoverChecks
import FailoverConfiguration
import FailoverCore
import FailoverTLS

/// The findings of one alias, for all its routes together.
struct AliasDiagnosis {
    private(set) var findings: [Finding] = []
    /// What could not be examined; `nil` if everything was.
    private(set) var skip: SkippedCheck?

    private let alias: DatabaseAlias
    private let facts: DoctorFacts
    private var subject: Finding.Subject { .alias(alias.name) }

    init(_ alias: DatabaseAlias, _ facts: DoctorFacts) {
        self.alias = alias
        self.facts = facts
        lookAtConfiguration()
        guard let probe = facts.probes[alias.name] else { return }
        lookAtName(probe)
        lookAtCandidates()
        if let failure = probe.failure {
            if probe.unresolved == nil {
                let remedy = failure.reason.remedy(for: alias.server)
                find(.noLogin, "\(failure)", remedy: remedy)
            }
            skip = .init(
                subject: subject,
                reason: "lag, limits, certificate and settings could not be examined: no login (\(failure.reason))")
        } else if let server = probe.facts {
            lookAtPings(server)
            lookAtAttestation(server)
            lookAtReadOnlyGuard(server)
            lookAtHostBlocking(server)
            lookAtCertificate(server)
            lookAtLimits(server)
        }
    }

    private mutating func find(_ kind: Finding.Kind, _ reason: String, remedy: String) {
        findings.append(Finding(kind, subject, reason, remedy: remedy))
    }

    private mutating func lookAtReadOnlyGuard(_ server: ServerFacts) {
        guard server.refusesReadOnlyParameter else { return }
        let guarded = facts.configuration.databaseRoutes.filter { name, route in
            route.session.failoverReadOnly && route.failoverAliases.contains(alias.name)
        }
        guard !guarded.isEmpty else { return }
        find(
            .guardByStatement,
            "the server, perhaps an old pooler, does not accept default_transaction_read_only as a start-up parameter: "
                + "failover_read_only of \(guarded.map(\.name).joined(separator: ", ")) uses a statement after the "
                + "login. DISCARD ALL undoes it, and a transaction pooler applies it to its other clients too",
            remedy: "PgBouncer: pool_mode = session; from 1.20 on also track_extra_parameters = "
                + "default_transaction_read_only")
    }

    /// Whether the server can be asked which encrypted sessions are between transactions, when they are to leave it.
    private mutating func lookAtAttestation(_ server: ServerFacts) {
        guard let remedy = server.attestRemedy else { return }
        let routes = facts.configuration.databaseRoutes.filter {
            $0.route.session.attest && $0.route.aliases.contains(alias.name)
        }
        guard !routes.isEmpty else { return }
        let place = alias.server.engine == .postgres ? ", on the primary" : ""
        find(
            .attestHidden,
            "the server does not show \(alias.server.user ?? "") which sessions are in a transaction: encrypted sessions "
                + "that should leave it stay until they end, or until drain_deadline",
            remedy: "\(remedy)\(place)")
    }

    private mutating func lookAtConfiguration() {
        guard facts.configuration.isReplica(alias) else { return }
        let key = "databases.\(alias.name)"
        if alias.server.role == nil {
            find(
                .roleUnset, "role is not set: if the replica is promoted, its sessions stay on it",
                remedy: "\(key).role: replica")
        }
        let interval = alias.monitor.frequencies.monitoringInterval
        guard let maxLag = alias.server.replication?.maxLag else {
            if alias.server.replication == nil {
                find(
                    .maxLagUnset, "max_lag is not set: the replica serves no matter how old its data is",
                    remedy: "\(key).max_lag: 10s")
            }
            return
        }
        if maxLag < interval * 2 {
            find(
                .maxLagShort,
                "max_lag (\(maxLag.inWords)) is shorter than two ping intervals (\(interval.inWords) each): the last "
                    + "measured lag may be older than max_lag",
                remedy: "\(key).monitoring_ping_frequency: \((maxLag / 2).inWords), or a longer max_lag")
        }
    }

    private mutating func lookAtName(_ probe: ServerProbe) {
        let host = alias.server.endpoint.hostAndPort.host
        if let failure = probe.unresolved {
            find(.nameUnresolved, "\(failure)", remedy: "getent ahosts \(host)")
        }
        if Set(probe.lookUps).count > 1 {
            let all = Set(probe.lookUps.joined()).sorted().joined(separator: ", ")
            find(
                .nameChanges,
                "two look-ups of \(host) return different addresses (\(all)): a ping and a session may reach different "
                    + "servers", remedy: "an alias for each server, all of them in db_alias")
        }
        let answers = probe.answers
        guard answers.count > 1 else { return }
        let addresses = answers.map(\.address).joined(separator: ", ")
        let servers = Set(answers.compactMap { try? $0.facts.get()?.identity })
        if servers.count > 1 {
            find(
                .severalServers,
                "\(host) is \(servers.count) servers (\(addresses)), monitored as one: the alias is up while one of "
                    + "them answers, and sessions go to the one that is tried first",
                remedy: "an alias for each server, all of them in db_alias")
        }
        let isUp = probe.failure == nil
        for answer in answers where isUp {
            guard case .failure(let failure) = answer.facts else { continue }
            find(
                .addressDown,
                "\(host) has several addresses, and \(answer.address) does not serve (\(failure)): sessions and "
                    + "pings that try it first lose time", remedy: "a name or an address where the server answers")
        }
        if servers.count < 2 {
            find(
                .severalAddresses,
                "\(host) has several addresses (\(addresses)); a session tries one after the other",
                remedy: "a single address, if only one is intended")
        }
    }

    /// Examines the other servers that the alias may move to.
    private mutating func lookAtCandidates() {
        let candidates = facts.candidates[alias.name] ?? []
        let isUp = facts.probes[alias.name]?.failure == nil
        for candidate in candidates where isUp {
            guard let failure = candidate.probe.failure else { continue }
            find(
                .candidateDown,
                "\(alias.name) could not move to \(candidate.endpoint): \(failure)",
                remedy: failure.reason.remedy(for: alias.server.at(candidate.endpoint)))
        }
        guard alias.server.role == .primary else { return }
        var writable: [(endpoint: Endpoint, identity: String)] = []
        for candidate in candidates {
            guard let server = candidate.probe.facts, !server.topology.isReadOnly,
                !writable.contains(where: { $0.identity == server.identity })
            else { continue }
            writable.append((candidate.endpoint, server.identity))
        }
        if writable.count > 1 {
            find(
                .severalPrimaries,
                "\(writable.map(\.endpoint.description).joined(separator: " and ")) accept writes: a proxy that starts "
                    + "now uses the first of them, and a running proxy stays with its current one",
                remedy: "stop the former primary, or make it a replica")
        }
    }

    private mutating func lookAtPings(_ server: ServerFacts) {
        if let failure = server.pingQueryFailure {
            find(
                .pingQuery, "the ping's query fails: \(failure)", remedy: "databases.\(alias.name).ping_query: SELECT 1"
            )
        }
        if let grant = server.lagGrant, facts.configuration.isReplica(alias) || server.topology.isReplica {
            let user = alias.server.user ?? ""
            let isPostgres = alias.server.engine == .postgres
            // With PostgreSQL, pings need no privilege to read the role.
            let keys = isPostgres ? "max_lag" : "role or max_lag"
            let place = isPostgres ? ", on the primary" : ""
            find(
                .lagHidden,
                "\(user) has no permission to see how far the server is behind: with \(keys), pings can fail, and the "
                    + "alias is then \(alias.monitor.refusedPing.rawValue); without max_lag, a replica with old data "
                    + "is not noticed", remedy: "\(grant)\(place)")
        }
    }

    /// Fewer errors in a row than this can occur by chance.
    private static let fewErrors = 1000

    private mutating func lookAtHostBlocking(_ server: ServerFacts) {
        guard let blocking = server.hostBlocking, blocking.isOn else { return }
        if blocking.limit < Self.fewErrors {
            find(
                .maxConnectErrors,
                "max_connect_errors is \(blocking.limit): after \(blocking.limit) interrupted handshakes in a row, "
                    + "such as those of a port scan or of a health check that only connects, the server blocks the "
                    + "address; for the proxy's address, that blocks every client",
                remedy:
                    "SET GLOBAL max_connect_errors = 1000000, and max_connect_errors = 1000000 in the server's option file"
            )
        }
        let (errors, refusals) = (blocking.errors ?? 0, blocking.refusals ?? 0)
        if errors > 0 || refusals > 0 {
            let counted = "\(errors) \(errors == 1 ? "connection" : "connections")"
            let refused = refusals == 0 ? "" : ", and has refused \(refusals) while the address was blocked"
            find(
                .hostCacheErrors,
                "the server has counted \(counted) from this machine's address that ended before a login\(refused); at "
                    + "\(blocking.limit) in a row it blocks the address", remedy: blocking.forget)
        }
    }

    private mutating func lookAtCertificate(_ server: ServerFacts) {
        guard let certificate = server.certificate, let message = certificate.expiryMessage(now: facts.now) else {
            return
        }
        let reload: String =
            switch (alias.server.engine, server.version.product) {
            case (.postgres, _): "SELECT pg_reload_conf()"
            case (_, "MySQL"): "ALTER INSTANCE RELOAD TLS"
            default: "FLUSH SSL"
            }
        find(
            .certificateEnds,
            "the server's certificate, \(certificate.subject), \(message): clients and pings that verify it will not "
                + "connect",
            remedy: "install a new certificate, then \(reload)")
    }

    private mutating func lookAtLimits(_ server: ServerFacts) {
        guard let counts = server.connections, let wanted = sessionsOfProxy, counts.available < wanted.count else {
            return
        }
        let reserved = counts.reserved == 0 ? "" : ", less \(counts.reserved) reserved for administrators"
        let set = alias.server.engine == .postgres ? "ALTER SYSTEM SET" : "SET GLOBAL"
        let restart = alias.server.engine == .postgres ? " and a restart" : ""
        find(
            .serverLimit,
            "the server accepts \(counts.available) sessions (max_connections \(counts.maximum)\(reserved)), and the "
                + "proxy may open \(wanted.count) (\(wanted.message)): the server refuses sessions above its limit",
            remedy:
                "databases.\(alias.name).max_connections: \(counts.available), or on the server \(set) max_connections = "
                + "\(wanted.count + counts.reserved)\(restart)")
    }

    /// The number of sessions that the proxy may open on the alias; `nil` if nothing limits them.
    private var sessionsOfProxy: (count: Int, message: String)? {
        let routes = facts.configuration.databaseRoutes.filter { $0.route.aliases.contains(alias.name) }
        let limited = routes.filter { $0.route.maxConnections != nil }
        let sum = limited.reduce(0) { $0 + ($1.route.maxConnections ?? 0) }
        let message = limited.map { "max_connections of \($0.name)" }.joined(separator: " and ")
        if let own = alias.maxConnections, limited.count < routes.count || limited.isEmpty || own <= sum {
            return (own, "its max_connections")
        }
        return limited.isEmpty ? nil : (sum, message)
    }
}
