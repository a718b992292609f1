import FailoverChecks
import FailoverConfiguration
import FailoverCore

/// The findings of a route: about its primary, about each replica compared with it, and about the route as a whole.
struct RouteDiagnosis {
    private(set) var findings: [Finding] = []
    private(set) var skipped: [SkippedCheck] = []

    private let name: String
    private let roles: RouteRoles
    private let facts: DoctorFacts

    init(_ name: String, _ roles: RouteRoles, _ facts: DoctorFacts) {
        self.name = name
        self.roles = roles
        self.facts = facts
        guard let primary = roles.primary, primary.server.engine != .tcp else { return }
        let primaryFacts = facts.probes[primary.name]?.facts
        if let primaryFacts { lookAtPrimary(primary, primaryFacts) }
        for replica in roles.replicas {
            guard let primaryFacts, let replicaFacts = facts.probes[replica.name]?.facts else {
                let missing = primaryFacts == nil ? primary.name : replica.name
                skipped.append(
                    .init(
                        subject: .route(name),
                        reason: "\(replica.name) was not compared with \(primary.name): could not examine \(missing)")
                )
                continue
            }
            compare(replica, replicaFacts, with: primary, primaryFacts)
        }
        if let primaryFacts { lookAtCapacity(primary, primaryFacts) }
    }

    private mutating func find(_ kind: Finding.Kind, _ subject: Finding.Subject, _ reason: String, remedy: String) {
        findings.append(Finding(kind, subject, reason, remedy: remedy))
    }

    private mutating func lookAtPrimary(_ primary: DatabaseAlias, _ server: ServerFacts) {
        // A server with a source can be a primary: primaries that replicate from each other accept writes.
        guard server.topology.isReadOnly else { return }
        let followed = server.topology.sources?.first.map { "; it follows \($0.host):\($0.port)" } ?? ""
        let isPostgres = primary.server.engine == .postgres
        let remedy =
            isPostgres
            ? server.topology.isReplica
                ? "SELECT pg_promote(), or another host" : "ALTER SYSTEM SET default_transaction_read_only = off"
            : "SET GLOBAL read_only = 0, or another host"
        find(
            .primaryReadOnly, .alias(primary.name),
            "route \(name) uses it as the primary, but it is "
                + "\(isPostgres && server.topology.isReplica ? "a replica" : "read-only")"
                + "\(followed): sessions that write fail there", remedy: remedy)
    }

    private mutating func compare(
        _ replica: DatabaseAlias, _ replicaFacts: ServerFacts, with primary: DatabaseAlias, _ primaryFacts: ServerFacts
    ) {
        let subject = Finding.Subject.alias(replica.name)
        if replicaFacts.identity == primaryFacts.identity {
            find(
                .sameServer, subject,
                "it is the same server as \(primary.name): when one is down, so is the other",
                remedy: "databases.\(replica.name).host: the address of a replica")
            return
        }
        let pair = ReplicaPair(
            replica: replica, replicaFacts: replicaFacts, primary: primary, primaryFacts: primaryFacts, facts: facts)
        findings += pair.findings
    }

    /// Checks whether the primary has room for the sessions that its replicas have now.
    private mutating func lookAtCapacity(_ primary: DatabaseAlias, _ server: ServerFacts) {
        guard let own = server.connections else { return }
        var servers = [server.identity]
        var moved = 0
        var names: [String] = []
        for replica in roles.replicas {
            guard let facts = facts.probes[replica.name]?.facts, !servers.contains(facts.identity) else {
                continue
            }
            servers.append(facts.identity)
            moved += facts.connections?.used ?? 0
            names.append(replica.name)
        }
        let needed = own.used + moved
        guard moved > 0, needed > own.available else { return }
        let isPostgres = primary.server.engine == .postgres
        let set = isPostgres ? "ALTER SYSTEM SET" : "SET GLOBAL"
        let restart = isPostgres ? " and a restart" : ""
        find(
            .primaryTooSmall, .route(name),
            "\(primary.name) has \(own.used) of \(own.available) sessions in use: it cannot take the \(moved) "
                + "that are now on \(names.joined(separator: " and "))",
            remedy: "on \(primary.name): \(set) max_connections = \((needed + own.reserved) * 5 / 4)\(restart)")
    }
}

/// The primary of a route, and the aliases that should be its replicas.
struct RouteRoles: Hashable, Sendable {
    /// The alias with `role: primary`. Without one: the alias `default`, or else the first failover alias without
    /// `role: replica`. `nil` if there is none of these.
    let primary: DatabaseAlias?
    /// All others, except those with `role: primary`.
    let replicas: [DatabaseAlias]

    init(_ route: DatabaseRoute, in configuration: Configuration) {
        let aliases = route.aliases.compactMap { configuration.database(named: $0) }
        let primary =
            aliases.first { $0.server.role == .primary } ?? aliases.first { $0.name == "default" }
            ?? aliases.dropFirst(route.preferredCount).first { $0.server.role != .replica }
        self.primary = primary
        replicas = aliases.filter { $0.name != primary?.name && $0.server.role != .primary }
    }
}

extension Configuration {
    /// The routes by name, in file order.
    var databaseRoutes: [(name: String, route: DatabaseRoute)] {
        services.compactMap { service in
            if case .database(let route) = service.kind { (service.name, route) } else { nil }
        }
    }

    /// Whether the alias should be a replica: by its `role`, by its `max_lag` and related keys, or by its place in a
    /// route.
    func isReplica(_ alias: DatabaseAlias) -> Bool {
        guard alias.server.engine != .tcp, alias.server.role != .primary else { return false }
        return alias.server.role == .replica || alias.server.replication != nil
            || databaseRoutes.contains { RouteRoles($0.route, in: self).replicas.contains { $0.name == alias.name } }
    }
}
