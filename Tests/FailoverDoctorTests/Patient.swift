import FailoverChecks
import FailoverConfiguration
import FailoverCore
import FailoverTLS

@testable import FailoverDoctor

/// A healthy primary and a healthy replica of one engine, to which tests add faults. The input of a diagnosis.
struct Patient: Sendable {
    static let now = WallTime(sinceEpoch: .seconds(1_800_000_000))

    var facts: DoctorFacts
    /// What the primary reports; then what the replica reports.
    var primary: ServerFacts
    var replica: ServerFacts
    /// Why one of them could not be examined.
    var failures: [String: PingFailure] = [:]
    /// Additional configuration keys of the aliases and of the route.
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
        facts = DoctorFacts(
            configuration: try Configuration.parse(text, fileName: "failover.yaml", environment: [:]), now: Self.now)
        self.primary = Self.server("one", isReplica: false, engine)
        self.replica = Self.server("two", isReplica: true, engine)
    }

    private static func server(_ identity: String, isReplica: Bool, _ engine: DatabaseServer.Engine) -> ServerFacts {
        var topology = ReplicationTopology(isReplica: isReplica, isReadOnly: isReplica)
        let isPostgres = engine == .postgres
        if isPostgres {
            topology.cluster = "7000"
            topology.timeline = 1
        } else {
            topology.serverID = isReplica ? "2" : "1"
        }
        topology.sources =
            isReplica ? [.init(host: "db1", port: isPostgres ? 5432 : 3306, serverID: isPostgres ? nil : "1")] : []
        var facts = ServerFacts(
            identity: identity,
            version: isPostgres
                ? .init(product: "PostgreSQL", series: "15") : .init(product: "MariaDB", series: "10.11"),
            topology: topology)
        facts.timeZone = "UTC"
        facts.clock = ClockReading(offset: .milliseconds(isReplica ? 700 : -200), uncertainty: .milliseconds(10))
        facts.connections = ConnectionCounts(maximum: 100, reserved: isPostgres ? 3 : 0, used: 10)
        facts.certificate = CertificateFacts(
            subject: "/CN=\(identity)", ends: WallTime(sinceEpoch: now.sinceEpoch + .seconds(31 * 86400)))
        if !isPostgres { facts.hostBlocking = HostBlocking(limit: 1_000_000, isOn: true, errors: 0) }
        return facts
    }

    /// The diagnosis at this moment.
    var diagnosis: Diagnosis {
        var facts = facts
        for (name, server) in [("default", primary), ("slave", replica)] where facts.probes[name] == nil {
            let answer: Result<ServerFacts?, PingFailure> = failures[name].map { .failure($0) } ?? .success(server)
            facts.probes[name] = ServerProbe(
                lookUps: [["10.0.0.1"], ["10.0.0.1"]], answers: [.init(address: "10.0.0.1", facts: answer)])
        }
        return Diagnosis(facts)
    }

    /// The findings at this moment: the subject's name and the kind.
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
