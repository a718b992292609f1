import FailoverChecks
import FailoverCore

/// A replica beside the primary whose place it takes, or that takes its.
struct ReplicaPair {
    let replica: DatabaseAlias
    let replicaFacts: ServerFacts
    let primary: DatabaseAlias
    let primaryFacts: ServerFacts
    let facts: CheckupFacts

    var findings: [Finding] { [following, version, timeZone, clock].compactMap { $0 } }

    private func finding(_ kind: Finding.Kind, _ reason: String, remedy: String) -> Finding {
        Finding(kind, .alias(replica.name), reason, remedy: remedy)
    }

    // MARK: Whose data it has

    private var following: Finding? {
        let lineage = replicaFacts.lineage
        guard lineage.isReplica else { return notAReplica }
        let another = replica.server.engine == .postgres ? anotherCluster : anotherSource
        if let another { return another }
        return lineage.stopped.map {
            finding(
                .replicationStopped, "it does not follow \(primary.name): \($0)",
                remedy: replica.server.engine == .postgres
                    ? "SELECT pg_wal_replay_resume() if it is paused; else look at primary_conninfo and the server's log"
                    : "\(replicaFacts.version.product == "MySQL" ? "START REPLICA" : "START SLAVE"), after what stopped it is mended"
            )
        }
    }

    private var notAReplica: Finding {
        let timelines = [replicaFacts, primaryFacts].compactMap(\.lineage.timeline)
        let promoted =
            replicaFacts.lineage.cluster != nil && replicaFacts.lineage.cluster == primaryFacts.lineage.cluster
            ? timelines.count == 2 && timelines[0] > timelines[1]
                ? ": it was promoted, to timeline \(timelines[0]) (\(primary.name) is on \(timelines[1]))"
                : ": it was promoted"
            : ""
        return finding(
            .notAReplica, "it follows nobody\(promoted): what is written on \(primary.name) never arrives",
            remedy: rebuild)
    }

    /// PostgreSQL: replicas have the identifier of their primary's cluster, and its timeline.
    private var anotherCluster: Finding? {
        let (own, other) = (replicaFacts.lineage, primaryFacts.lineage)
        if let cluster = own.cluster, let expected = other.cluster, cluster != expected {
            return finding(
                .followsAnother,
                "it is a replica of another cluster (system identifier \(cluster)\(source)) than \(primary.name) (\(expected))",
                remedy: rebuild)
        }
        // Replicas of a replica that was promoted go on with it.
        if let timeline = own.timeline, let expected = other.timeline, timeline != expected, !other.isReplica {
            return finding(
                .otherTimeline,
                "it is on timeline \(timeline)\(source), \(primary.name) on \(expected): they have parted at a promotion",
                remedy: "pg_rewind, or " + rebuild)
        }
        return nil
    }

    /// MySQL and MariaDB: a replica knows the `server_id` of each source that it follows, as soon as it has met it.
    private var anotherSource: Finding? {
        guard let sources = replicaFacts.lineage.sources, let expected = primaryFacts.lineage.serverID else {
            return nil
        }
        let ids = sources.compactMap(\.serverID)
        guard !ids.isEmpty, ids.count == sources.count, !leads(from: ids, to: expected) else { return nil }
        return finding(
            .followsAnother,
            "it follows \(sources.map { "\($0.host):\($0.port) (server_id \($0.serverID ?? "?"))" }.joined(separator: " and ")), and "
                + "\(primary.name) has server_id \(expected): nothing shows that its data come from there",
            remedy: rebuild)
    }

    /// Whether a chain of sources, as far as they are aliases too, comes to a server.
    private func leads(from ids: [String], to server: String) -> Bool {
        let others = facts.examinations.values.compactMap(\.facts?.lineage).filter { $0.serverID != nil }
        var (open, seen) = (ids, Set<String>())
        while let id = open.popLast() {
            if id == server { return true }
            guard seen.insert(id).inserted else { continue }
            for lineage in others where lineage.serverID == id {
                open += lineage.sources?.compactMap(\.serverID) ?? []
            }
        }
        return false
    }

    private var source: String {
        replicaFacts.lineage.sources?.first.map { ", from \($0.host):\($0.port)" } ?? ""
    }

    /// The command that makes it a replica of the primary.
    private var rebuild: String {
        let (host, port) = primary.server.endpoint.words
        switch replica.server.engine {
        case .postgres, .tcp:
            return
                "pg_basebackup --write-recovery-conf -h \(host) -p \(port) -D DATA_DIRECTORY, into an empty directory"
        case .mysql where replicaFacts.version.product == "MySQL":
            return
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '\(host)', SOURCE_PORT = \(port), …, on a copy of \(primary.name)"
        case .mysql:
            return "CHANGE MASTER TO MASTER_HOST = '\(host)', MASTER_PORT = \(port), …, on a copy of \(primary.name)"
        }
    }

    // MARK: What differs

    private var version: Finding? {
        let (own, other) = (replicaFacts.version, primaryFacts.version)
        guard own != other else { return nil }
        return finding(
            .versionsDiffer,
            "it is \(own.product) \(own.series), \(primary.name) is \(other.product) \(other.series): sessions that move meet other "
                + "planners, defaults and errors",
            remedy: "\(other.product) \(other.series) on both, or \(own.product) \(own.series)")
    }

    private var timeZone: Finding? {
        guard let own = replicaFacts.timeZone, let other = primaryFacts.timeZone,
            own.timeZoneForComparison != other.timeZoneForComparison
        else { return nil }
        let remedy =
            replica.server.engine == .postgres
            ? "ALTER SYSTEM SET timezone = '\(other)'; SELECT pg_reload_conf()"
            : "SET GLOBAL time_zone = '+00:00' on both, and default_time_zone = '+00:00' in their option files"
        return finding(
            .timeZonesDiffer,
            "its time zone is \(own), that of \(primary.name) is \(other): the same query answers with other times of day after a move",
            remedy: remedy)
    }

    private var clock: Finding? {
        guard let own = replicaFacts.clock, let other = primaryFacts.clock else { return nil }
        let apart = own.surelyApart(from: other)
        guard apart > .seconds(1) else { return nil }
        let way = own.offset > other.offset ? "ahead of" : "behind"
        return finding(
            .clocksDiffer,
            "its clock is at least \(apart.inWords) \(way) that of \(primary.name): lag in seconds and now() are wrong by as much",
            remedy: "timedatectl set-ntp true, on both")
    }
}

extension String {
    /// The names of one zone that people write differently.
    fileprivate var timeZoneForComparison: String {
        let names: Set = [
            "utc", "etc/utc", "gmt", "etc/gmt", "+00:00", "-00:00", "universal", "etc/universal", "zulu", "etc/zulu",
            "uct", "etc/uct",
        ]
        let name = lowercased()
        return names.contains(name) ? "utc" : name
    }
}
