import FailoverChecks
import FailoverCore
import FailoverProxy

/// What is to be said of one alias, whatever route it serves.
struct AliasDiagnosis {
    private(set) var findings: [Finding] = []
    /// What could not be looked at; `nil` if all was.
    private(set) var skip: Diagnosis.Skip?

    private let alias: DatabaseAlias
    private let facts: CheckupFacts
    private var subject: Finding.Subject { .alias(alias.name) }

    init(_ alias: DatabaseAlias, _ facts: CheckupFacts) {
        self.alias = alias
        self.facts = facts
        lookAtConfiguration()
        guard let examination = facts.examinations[alias.name] else { return }
        lookAtName(examination)
        lookAtCandidates()
        if let failure = examination.failure {
            if examination.unresolved == nil {
                let remedy = failure.reason.remedy(for: alias.server)
                find(.noLogin, "\(failure)", remedy: remedy)
            }
            skip = .init(
                subject: subject,
                reason: "nothing is known of its lag, limits, certificate and settings: no login (\(failure.reason))")
        } else if let server = examination.facts {
            lookAtPings(server)
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
            "it takes no default_transaction_read_only at a session's start, as an old pooler does: failover_read_only of "
                + "\(guarded.map(\.name).joined(separator: ", ")) tells it by a statement after the login, which "
                + "DISCARD ALL forgets, and which a pooler of transactions keeps for its other clients",
            remedy: "PgBouncer: pool_mode = session; from 1.20 on also track_extra_parameters = "
                + "default_transaction_read_only")
    }

    private mutating func lookAtConfiguration() {
        guard facts.configuration.isReplica(alias) else { return }
        let key = "databases.\(alias.name)"
        if alias.server.role == nil {
            find(
                .roleUnset, "should the replica be promoted, sessions stay on it: its role is not asked for",
                remedy: "\(key).role: replica")
        }
        let interval = alias.monitor.frequencies.monitoringInterval
        guard let maxLag = alias.server.replication?.maxLag else {
            if alias.server.replication == nil {
                find(
                    .maxLagUnset, "the replica serves however old its data is: nobody asks how far it is behind",
                    remedy: "\(key).max_lag: 10s")
            }
            return
        }
        if maxLag < interval * 2 {
            find(
                .maxLagShort,
                "max_lag (\(maxLag.inWords)) is shorter than two pings (one each \(interval.inWords)): what is known of "
                    + "the replica is older than what it is held to",
                remedy: "\(key).monitoring_ping_frequency: \((maxLag / 2).inWords), or a longer max_lag")
        }
    }

    private mutating func lookAtName(_ examination: Examination) {
        let host = alias.server.endpoint.words.host
        if let failure = examination.unresolved {
            find(.nameUnresolved, "\(failure)", remedy: "getent ahosts \(host)")
        }
        if Set(examination.lookUps).count > 1 {
            let all = Set(examination.lookUps.joined()).sorted().joined(separator: ", ")
            find(
                .nameChanges,
                "\(host) has other addresses from one look-up to the next (\(all)): a ping and a session may meet different "
                    + "servers", remedy: "an alias for each server, all of them in db_alias")
        }
        let answers = examination.answers
        guard answers.count > 1 else { return }
        let addresses = answers.map(\.address).joined(separator: ", ")
        let servers = Set(answers.compactMap { try? $0.facts.get()?.identity })
        if servers.count > 1 {
            find(
                .severalServers,
                "\(host) is \(servers.count) servers (\(addresses)), monitored as one: it is up while one of them answers, and "
                    + "sessions go to whichever is tried first",
                remedy: "an alias for each server, all of them in db_alias")
        }
        let isUp = examination.failure == nil
        for answer in answers where isUp {
            guard case .failure(let failure) = answer.facts else { continue }
            find(
                .addressDown,
                "\(host) has several addresses, and \(answer.address) does not serve (\(failure)): sessions and pings that are "
                    + "tried there first lose time", remedy: "a name or an address where the server answers")
        }
        if servers.count < 2 {
            find(
                .severalAddresses,
                "\(host) has several addresses (\(addresses)); a session is tried at one after the other",
                remedy: "one address, if only one is meant")
        }
    }

    /// Other servers that the alias may become.
    private mutating func lookAtCandidates() {
        let candidates = facts.candidates[alias.name] ?? []
        let isUp = facts.examinations[alias.name]?.failure == nil
        for candidate in candidates where isUp {
            guard let failure = candidate.examination.failure else { continue }
            find(
                .candidateDown,
                "\(alias.name) could not become \(candidate.endpoint): \(failure)",
                remedy: failure.reason.remedy(for: alias.server.at(candidate.endpoint)))
        }
        guard alias.server.role == .primary else { return }
        var writable: [(endpoint: Endpoint, identity: String)] = []
        for candidate in candidates {
            guard let server = candidate.examination.facts, !server.lineage.isReadOnly,
                !writable.contains(where: { $0.identity == server.identity })
            else { continue }
            writable.append((candidate.endpoint, server.identity))
        }
        if writable.count > 1 {
            find(
                .severalPrimaries,
                "\(writable.map(\.endpoint.description).joined(separator: " and ")) take writes: a proxy that starts now takes the "
                    + "first, one that runs stays with the one that it has",
                remedy: "stop the former primary, or make it a replica")
        }
    }

    private mutating func lookAtPings(_ server: ServerFacts) {
        if let failure = server.pingQueryFailure {
            find(
                .pingQuery, "the ping's query fails: \(failure)", remedy: "databases.\(alias.name).ping_query: SELECT 1"
            )
        }
        if let grant = server.lagGrant, facts.configuration.isReplica(alias) || server.lineage.isReplica {
            let user = alias.server.user ?? ""
            let place = alias.server.engine == .postgres ? ", to be run on the primary" : ""
            find(
                .lagHidden,
                "\(user) may not see how far the server is behind: with role or max_lag its pings fail, without them nobody "
                    + "notices", remedy: "\(grant)\(place)")
        }
    }

    /// Fewer errors in a row than this come about by chance.
    private static let fewErrors = 1000

    private mutating func lookAtHostBlocking(_ server: ServerFacts) {
        guard let blocking = server.hostBlocking, blocking.isOn else { return }
        if blocking.limit < Self.fewErrors {
            find(
                .maxConnectErrors,
                "max_connect_errors is \(blocking.limit): so many connections from one address that end before a login, as those "
                    + "of a port scan or of a health check that only connects, and the server locks the address out; the "
                    + "proxy's is that of all its clients",
                remedy:
                    "SET GLOBAL max_connect_errors = 1000000, and max_connect_errors = 1000000 in the server's option file"
            )
        }
        let (errors, refusals) = (blocking.errors ?? 0, blocking.refusals ?? 0)
        if errors > 0 || refusals > 0 {
            let counted = "\(errors) \(errors == 1 ? "connection" : "connections")"
            let refused = refusals == 0 ? "" : ", and has turned away \(refusals) while it was locked out"
            find(
                .hostCacheErrors,
                "the server has counted \(counted) from this machine's address that ended before a login\(refused); at "
                    + "\(blocking.limit) in a row it locks the address out", remedy: blocking.forget)
        }
    }

    private mutating func lookAtCertificate(_ server: ServerFacts) {
        guard let certificate = server.certificate, let words = certificate.endingWords(now: facts.now) else { return }
        let reload: String =
            switch (alias.server.engine, server.version.product) {
            case (.postgres, _): "SELECT pg_reload_conf()"
            case (_, "MySQL"): "ALTER INSTANCE RELOAD TLS"
            default: "FLUSH SSL"
            }
        find(
            .certificateEnds,
            "the server's certificate, \(certificate.subject), \(words): clients and pings that verify it will not connect",
            remedy: "\(reload), after a new certificate is in its place")
    }

    private mutating func lookAtLimits(_ server: ServerFacts) {
        guard let counts = server.connections, let wanted = sessionsOfProxy, counts.available < wanted.count else {
            return
        }
        let reserved = counts.reserved == 0 ? "" : ", less \(counts.reserved) that only administrators get"
        let set = alias.server.engine == .postgres ? "ALTER SYSTEM SET" : "SET GLOBAL"
        let restart = alias.server.engine == .postgres ? " and a restart" : ""
        find(
            .serverLimit,
            "the server takes \(counts.available) sessions (max_connections \(counts.maximum)\(reserved)), and the proxy may open "
                + "\(wanted.count) (\(wanted.words)): who is one too many is refused there",
            remedy:
                "databases.\(alias.name).max_connections: \(counts.available), or on the server \(set) max_connections = "
                + "\(wanted.count + counts.reserved)\(restart)")
    }

    /// How many sessions the proxy may open on the alias; `nil` if nothing limits them.
    private var sessionsOfProxy: (count: Int, words: String)? {
        let routes = facts.configuration.databaseRoutes.filter { $0.route.aliases.contains(alias.name) }
        let limited = routes.filter { $0.route.maxConnections != nil }
        let sum = limited.reduce(0) { $0 + ($1.route.maxConnections ?? 0) }
        let words = limited.map { "max_connections of \($0.name)" }.joined(separator: " and ")
        if let own = alias.maxConnections, limited.count < routes.count || limited.isEmpty || own <= sum {
            return (own, "its max_connections")
        }
        return limited.isEmpty ? nil : (sum, words)
    }
}
