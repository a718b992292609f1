import FailoverChecks
import FailoverCore

/// What is to be said of a route: of its primary, of each replica beside it, and of all together.
struct RouteDiagnosis {
    private(set) var findings: [Finding] = []
    private(set) var skipped: [Diagnosis.Skip] = []

    private let name: String
    private let roles: RouteRoles
    private let facts: CheckupFacts

    init(_ name: String, _ roles: RouteRoles, _ facts: CheckupFacts) {
        self.name = name
        self.roles = roles
        self.facts = facts
        guard let primary = roles.primary, primary.server.engine != .tcp else { return }
        let primaryFacts = facts.examinations[primary.name]?.facts
        if let primaryFacts { lookAtPrimary(primary, primaryFacts) }
        for replica in roles.replicas {
            guard let primaryFacts, let replicaFacts = facts.examinations[replica.name]?.facts else {
                let missing = primaryFacts == nil ? primary.name : replica.name
                skipped.append(
                    .init(
                        subject: .route(name),
                        reason: "\(replica.name) was not compared with \(primary.name): nothing is known of \(missing)")
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
        // Primaries that follow each other take writes.
        guard server.lineage.isReadOnly else { return }
        let followed = server.lineage.sources?.first.map { "; it follows \($0.host):\($0.port)" } ?? ""
        let isPostgres = primary.server.engine == .postgres
        let remedy =
            isPostgres
            ? server.lineage.isReplica
                ? "SELECT pg_promote(), or another host" : "ALTER SYSTEM SET default_transaction_read_only = off"
            : "SET GLOBAL read_only = 0, or another host"
        find(
            .primaryReadOnly, .alias(primary.name),
            "route \(name) takes it for the primary, and it is \(isPostgres && server.lineage.isReplica ? "a replica" : "read-only")"
                + "\(followed): sessions that write fail there", remedy: remedy)
    }

    private mutating func compare(
        _ replica: DatabaseAlias, _ replicaFacts: ServerFacts, with primary: DatabaseAlias, _ primaryFacts: ServerFacts
    ) {
        let subject = Finding.Subject.alias(replica.name)
        if replicaFacts.identity == primaryFacts.identity {
            find(
                .sameServer, subject,
                "it is the same server as \(primary.name): when that one is down, so is this",
                remedy: "databases.\(replica.name).host: the address of a replica")
            return
        }
        let pair = ReplicaPair(
            replica: replica, replicaFacts: replicaFacts, primary: primary, primaryFacts: primaryFacts, facts: facts)
        findings += pair.findings
    }

    /// Whether the primary could take the sessions of its replicas, as they are now.
    private mutating func lookAtCapacity(_ primary: DatabaseAlias, _ server: ServerFacts) {
        guard let own = server.connections else { return }
        var servers = [server.identity]
        var moved = 0
        var names: [String] = []
        for replica in roles.replicas {
            guard let facts = facts.examinations[replica.name]?.facts, !servers.contains(facts.identity) else {
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
            "\(primary.name) has \(own.used) of the \(own.available) sessions that it takes; the \(moved) that "
                + "\(names.joined(separator: " and ")) has now do not fit beside them, should they come",
            remedy: "on \(primary.name): \(set) max_connections = \((needed + own.reserved) * 5 / 4)\(restart)")
    }
}
