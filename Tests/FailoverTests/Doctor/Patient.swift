import Failover
import FailoverChecks
import FailoverCore

/// A primary and a replica of one engine that are well, to be made ill: what a diagnosis goes by.
struct Patient: Sendable {
    static let now = WallTime(sinceEpoch: .seconds(1_800_000_000))

    var facts: CheckupFacts
    /// What the primary says; the replica.
    var primary: ServerFacts
    var replica: ServerFacts
    /// Why one of them says nothing.
    var failures: [String: PingFailure] = [:]
    /// More keys of the configuration: of the aliases, of the route.
    private let keys: (primary: String, replica: String, route: String)

    init(
        _ engine: DatabaseServer.Engine = .postgres, primary: String = "", replica: String = "", route: String = ""
    ) throws {
        keys = (primary, replica, route)
        let text = """
            monitoring_ping_frequency: 1s
            databases:
              default: {engine: \(engine.rawValue), host: db1, user: monitor, role: primary\(primary)}
              slave: {engine: \(engine.rawValue), host: db2, user: monitor\(replica.isEmpty ? ", role: replica, max_lag: 10s" : replica)}
            services:
              slave: {type: database, listen: "127.0.0.1:6432"\(route)}
            """
        facts = CheckupFacts(
            configuration: try Configuration.parse(text, fileName: "failover.yaml", environment: [:]), now: Self.now)
        self.primary = Self.server("one", isReplica: false, engine)
        self.replica = Self.server("two", isReplica: true, engine)
    }

    private static func server(_ identity: String, isReplica: Bool, _ engine: DatabaseServer.Engine) -> ServerFacts {
        var lineage = Lineage(isReplica: isReplica, isReadOnly: isReplica)
        let isPostgres = engine == .postgres
        if isPostgres {
            lineage.cluster = "7000"
            lineage.timeline = 1
        } else {
            lineage.serverID = isReplica ? "2" : "1"
        }
        lineage.sources =
            isReplica ? [.init(host: "db1", port: isPostgres ? 5432 : 3306, serverID: isPostgres ? nil : "1")] : []
        var facts = ServerFacts(
            identity: identity,
            version: isPostgres
                ? .init(product: "PostgreSQL", series: "15") : .init(product: "MariaDB", series: "10.11"),
            lineage: lineage)
        facts.timeZone = "UTC"
        facts.clock = ClockReading(offset: .milliseconds(isReplica ? 700 : -200), uncertainty: .milliseconds(10))
        facts.connections = ConnectionCounts(maximum: 100, reserved: isPostgres ? 3 : 0, used: 10)
        facts.certificate = CertificateFacts(
            subject: "/CN=\(identity)", ends: WallTime(sinceEpoch: now.sinceEpoch + .seconds(31 * 86400)))
        if !isPostgres { facts.hostBlocking = HostBlocking(limit: 1_000_000, isOn: true, errors: 0) }
        return facts
    }

    /// What is found now.
    var diagnosis: Diagnosis {
        var facts = facts
        for (name, server) in [("default", primary), ("slave", replica)] where facts.examinations[name] == nil {
            let answer: Result<ServerFacts?, PingFailure> = failures[name].map { .failure($0) } ?? .success(server)
            facts.examinations[name] = Examination(
                lookUps: [["10.0.0.1"], ["10.0.0.1"]], answers: [.init(address: "10.0.0.1", facts: answer)])
        }
        return Diagnosis(facts)
    }

    /// What is found now: the subject's name and the kind's word.
    var found: [String] {
        diagnosis.findings.map { finding in
            let name =
                switch finding.subject {
                case .alias(let name): name
                case .route(let name): "route \(name)"
                case .service(let name): "service \(name)"
                case .file(let path): path
                }
            return "\(name): \(finding.kind.rawValue)"
        }
    }
}
