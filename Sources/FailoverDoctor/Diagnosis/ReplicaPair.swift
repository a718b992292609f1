import FailoverChecks
import FailoverConfiguration
import FailoverCore

/// A replica and the primary of its route.
struct ReplicaPair {
    let replica: DatabaseAlias
    let replicaFacts: ServerFacts
    let primary: DatabaseAlias
    let primaryFacts: ServerFacts
    let facts: DoctorFacts

    var findings: [Finding] { [following, version, timeZone, clock].compactMap { $0 } }

    private func finding(_ kind: Finding.Kind, _ reason: String, remedy: String) -> Finding {
        Finding(kind, .alias(replica.name), reason, remedy: remedy)
    }

    // MARK: Source of the data

    private var following: Finding? {
        let topology = replicaFacts.topology
        guard topology.isReplica else { return notAReplica }
        let another = replica.server.engine == .postgres ? anotherCluster : anotherSource
        if let another { return another }
        return topology.stopped.map {
            finding(
                .replicationStopped, "it does not follow \(primary.name): \($0)",
                remedy: replica.server.engine == .postgres
                    ? "SELECT pg_wal_replay_resume() if replay is paused; otherwise check primary_conninfo and the "
                        + "server's log"
                    : "remove the cause; \(replicaFacts.version.product == "MySQL" ? "START REPLICA" : "START SLAVE")"
            )
        }
    }

    private var notAReplica: Finding {
        let timelines = [replicaFacts, primaryFacts].compactMap(\.topology.timeline)
        let promoted =
            replicaFacts.topology.cluster != nil && replicaFacts.topology.cluster == primaryFacts.topology.cluster
            ? timelines.count == 2 && timelines[0] > timelines[1]
                ? ": it was promoted, to timeline \(timelines[0]) (\(primary.name) is on \(timelines[1]))"
                : ": it was promoted"
            : ""
        return finding(
            .notAReplica, "it follows no server\(promoted): data written on \(primary.name) does not reach it",
            remedy: rebuild)
    }

    /// PostgreSQL: a replica has the system identifier and the timeline of its primary.
    private var anotherCluster: Finding? {
        let (own, other) = (replicaFacts.topology, primaryFacts.topology)
        if let cluster = own.cluster, let expected = other.cluster, cluster != expected {
            return finding(
                .followsAnother,
                "it is a replica of another cluster (system identifier \(cluster)\(source)), not of \(primary.name) "
                    + "(\(expected))",
                remedy: rebuild)
        }
        // Replicas of a promoted replica continue on its timeline.
        if let timeline = own.timeline, let expected = other.timeline, timeline != expected, !other.isReplica {
            return finding(
                .otherTimeline,
                "it is on timeline \(timeline)\(source), \(primary.name) on \(expected): the timelines diverged at a "
                    + "promotion",
                remedy: "pg_rewind, or " + rebuild)
        }
        return nil
    }

    /// MySQL and MariaDB: a replica knows the `server_id` of each source once it has connected to it.
    private var anotherSource: Finding? {
        if let group = replicaFacts.topology.cluster, replicaFacts.topology.sources?.isEmpty != false {
            guard let expected = primaryFacts.topology.cluster, group != expected else { return nil }
            return finding(
                .followsAnother,
                "it is a member of another replication group (\(group)) than \(primary.name) (\(expected))",
                remedy: "name members of one group in the route")
        }
        guard let sources = replicaFacts.topology.sources, let expected = primaryFacts.topology.serverID else {
            return nil
        }
        let ids = sources.compactMap(\.serverID)
        guard !ids.isEmpty, ids.count == sources.count, !leads(from: ids, to: expected) else { return nil }
        return finding(
            .followsAnother,
            "it follows \(sources.map { "\($0.host):\($0.port) (server_id \($0.serverID ?? "?"))" }.joined(separator: " and ")), and "
                + "\(primary.name) has server_id \(expected): its data does not appear to come from \(primary.name)",
            remedy: rebuild)
    }

    /// Whether a chain of sources leads to the server. Only sources that are aliases too can be followed.
    private func leads(from ids: [String], to server: String) -> Bool {
        let others = facts.probes.values.compactMap(\.facts?.topology).filter { $0.serverID != nil }
        var (open, seen) = (ids, Set<String>())
        while let id = open.popLast() {
            if id == server { return true }
            guard seen.insert(id).inserted else { continue }
            for topology in others where topology.serverID == id {
                open += topology.sources?.compactMap(\.serverID) ?? []
            }
        }
        return false
    }

    private var source: String {
        replicaFacts.topology.sources?.first.map { ", from \($0.host):\($0.port)" } ?? ""
    }

    /// The command that rebuilds the server as a replica of the primary.
    private var rebuild: String {
        let (host, port) = primary.server.endpoint.hostAndPort
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

    // MARK: Differences

    private var version: Finding? {
        let (own, other) = (replicaFacts.version, primaryFacts.version)
        guard own != other else { return nil }
        return finding(
            .versionsDiffer,
            "it is \(own.product) \(own.series), \(primary.name) is \(other.product) \(other.series): sessions that "
                + "move get a different planner, different defaults and different error messages",
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
            "its time zone is \(own), that of \(primary.name) is \(other): the same query returns different times "
                + "after a move",
            remedy: remedy)
    }

    private var clock: Finding? {
        guard let own = replicaFacts.clock, let other = primaryFacts.clock else { return nil }
        let apart = own.surelyApart(from: other)
        guard apart > .seconds(1) else { return nil }
        let way = own.offset > other.offset ? "ahead of" : "behind"
        return finding(
            .clocksDiffer,
            "its clock is at least \(apart.inWords) \(way) that of \(primary.name): lag in seconds and now() are wrong "
                + "by that much",
            remedy: "timedatectl set-ntp true, on both")
    }
}

extension String {
    /// The name in lower case, with one name for all names of UTC.
    fileprivate var timeZoneForComparison: String {
        let names: Set = [
            "utc", "etc/utc", "gmt", "etc/gmt", "+00:00", "-00:00", "universal", "etc/universal", "zulu", "etc/zulu",
            "uct", "etc/uct",
        ]
        let name = lowercased()
        return names.contains(name) ? "utc" : name
    }
}
