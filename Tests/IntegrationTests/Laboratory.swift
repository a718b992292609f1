import FailoverTesting
import Foundation
import Testing

/// The real servers that `scripts/lab` runs; `scripts/test` starts them.
enum Laboratory {
    /// Whether the servers are running.
    static let isUp = ProcessInfo.processInfo.environment["FAILOVER_LAB"] != nil

    /// Whether these are today's servers, those of `scripts/lab up --newest`.
    static let isNewest = ProcessInfo.processInfo.environment["LAB_ENGINES"]?.contains("mysql") == true

    /// Whether a MySQL replication group is running.
    static let hasGroup = ProcessInfo.processInfo.environment["LAB_GROUP"] != nil

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// The script that causes faults.
    static let script = ProcessInfo.processInfo.environment["LAB_SCRIPT"] ?? "\(root)/scripts/lab"

    /// The port of a server, by the name of its variable; 0 without the laboratory.
    static func port(_ name: String) -> Int { ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? 0 }

    /// Causes a fault of `scripts/lab fault` on a server.
    static func fault(_ fault: String, on server: String) async throws {
        let output = try await Command.run([script, "fault", server, fault])
        guard output.status == 0 else { throw CommandFailure(output: output) }
    }

    /// Ends faults that a failed test may have left, so that the next test fails only for its own reasons.
    static func heal() async {
        for engine in Engine.allCases {
            for server in ["primary", "replica"] + (engine == .postgres ? ["second"] : []) {
                for fault in ["cont"] + (server == "primary" ? [] : ["resume", "mend"]) + ["start"] {
                    try? await self.fault(fault, on: "\(engine.rawValue)-\(server)")
                }
            }
        }
    }

    /// The folder of the servers' directories.
    static let directory = ProcessInfo.processInfo.environment["LAB_DIR"] ?? "\(root)/.lab"

    /// One server of an engine.
    enum Server: String, Sendable {
        case primary
        case replica
    }

    /// One engine's servers and its real client.
    enum Engine: String, CaseIterable, Sendable {
        case postgres
        case mariadb
        /// Oracle's, which only a laboratory of today's servers has.
        case mysql

        /// The engines of the laboratory that is running.
        static let allCases: [Engine] = {
            let names = ProcessInfo.processInfo.environment["LAB_ENGINES"] ?? "postgres mariadb"
            return names.split(separator: " ").compactMap { Engine(rawValue: String($0)) }
        }()

        /// Whether the running laboratory has it.
        var isUp: Bool { Self.allCases.contains(self) }

        var primaryPort: Int { Laboratory.port("\(variables)_PRIMARY_PORT") }
        var replicaPort: Int { Laboratory.port("\(variables)_REPLICA_PORT") }

        private var variables: String {
            switch self {
            case .postgres: "LAB_PG"
            case .mariadb: "LAB_MY"
            case .mysql: "LAB_MYSQL"
            }
        }

        /// Limits of a route that a healthy server meets even on a very busy machine.
        static let patience = "connect_timeout: 50s, greeting_timeout: 50s, drain_busy_after: 2s"

        /// The databases and a route over them, listening on a port that the system chooses.
        ///
        /// - Parameters:
        ///   - pingTimeout: of the replica. By default longer than a healthy server on a busy machine ever takes, as
        ///     it always is for the primary, which must stay up. Of a server that is down it is 10 s.
        ///   - primary: additional keys of `default`.
        ///   - replica: additional keys of `slave`.
        ///   - route: additional keys of the route. Its sessions have long limits, because a busy machine does not
        ///     make a server slow.
        ///   - ports: of the primary and the replica, if they are not the laboratory's.
        func configuration(
            pingTimeout: String = "60s", primary: String? = nil,
            replica: String? = nil, route: String? = nil, ports: [UInt16]? = nil
        ) -> String {
            let engine = self == .postgres ? "engine: postgres, name: app" : "engine: mysql"
            let ports = ports.map { $0.map(Int.init) } ?? [primaryPort, replicaPort]
            func alias(_ port: Int, _ timeout: String, _ more: String?) -> String {
                """
                {\(engine), host: 127.0.0.1, port: \(port), user: monitor, password: monitor-secret, \
                ping_timeout: \(timeout), outage_ping_timeout: 10s\(more.map { ", \($0)" } ?? "")}
                """
            }
            return """
                monitoring_ping_frequency: 500ms
                outage_ping_frequency: 200ms
                error_ping_frequency: 100ms
                fall: 2
                databases:
                  default: \(alias(ports[0], "60s", primary))
                  slave: \(alias(ports[1], pingTimeout, replica))
                services:
                  slave: {type: database, listen: "127.0.0.1:0", \(Self.patience)\(route.map { ", \($0)" } ?? "")}

                """
        }

        /// A time limit of pings that soon detects a stopped replica, and that a healthy replica meets on this
        /// machine now.
        func shortPingTimeout() async throws -> String {
            var slowest = Duration.milliseconds(50)
            for _ in 0..<5 {
                slowest = max(slowest, try await ContinuousClock().measure { _ = try await ask(at: replicaPort) })
            }
            return "\(Int(slowest / .milliseconds(1)) * 10)ms"
        }

        /// The port of the server that answers a new connection of the engine's own client; `nil` if no server
        /// answers.
        func whoAnswers(at port: Int) async throws -> Int? {
            Int(try await ask(at: port).standardOutput.trimmingCharacters(in: .whitespacesAndNewlines))
        }

        /// The error message of the engine's own client.
        func standardError(at port: Int) async throws -> String { try await ask(at: port).standardError }

        /// The rows of a statement as the engine's own client prints them, in a clear-text session.
        func answer(to statement: String, at port: Int) async throws -> String {
            let output = try await ask(statement, at: port, environment: ["PGSSLMODE": "disable"])
            guard output.status == 0 else { throw CommandFailure(output: output) }
            return output.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
        }

        /// Runs a statement with the engine's own client.
        func execute(_ statement: String, at port: Int) async throws {
            let output = try await ask(statement, at: port)
            guard output.status == 0 else { throw CommandFailure(output: output) }
        }

        /// Runs a statement as the server's administrator, through its socket, and returns the answer.
        @discardableResult
        func administer(_ statement: String, at server: Server) async throws -> String {
            let output = try await Command.run(["timeout", "240"] + administration(statement, at: server))
            guard output.status == 0 else { throw CommandFailure(output: output) }
            return output.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
        }

        /// The command for that. In MariaDB's and MySQL's, only // ends a statement.
        func administration(_ statement: String, at server: Server) -> [String] {
            let directory = "\(Laboratory.directory)/data/\(rawValue)-\(server.rawValue)"
            let port = server == .primary ? primaryPort : replicaPort
            return switch self {
            case .postgres:
                ["psql", "-X", "-h", directory, "-p", "\(port)", "-U", "postgres", "-d", "app", "-Atc", statement]
            case .mariadb:
                ["mariadb", "--no-defaults", "--socket", "\(directory)/socket", "--delimiter=//", "-Nse", statement]
            case .mysql:
                ["mysql", "--no-defaults", "--socket", "\(directory)/socket", "--delimiter=//", "-Nse", statement]
            }
        }

        private func ask(
            _ statement: String? = nil, at port: Int, environment: [String: String] = [:]
        ) async throws -> Command.Output {
            let command =
                switch self {
                case .postgres:
                    [
                        "timeout", "240", "psql", "-X", "-h", "127.0.0.1", "-p", "\(port)", "-U", "app", "-d", "app",
                        "-Atc",
                        statement ?? "select inet_server_port()",
                    ]
                case .mariadb:
                    [
                        "timeout", "240", "mariadb", "--no-defaults", "--skip-ssl", "-h", "127.0.0.1", "-P", "\(port)",
                        "-u", "app",
                        "-D", "app", "-Nse", statement ?? "select @@port",
                    ]
                case .mysql:
                    [
                        "timeout", "240", "mysql", "--no-defaults", "--ssl-mode=DISABLED", "--get-server-public-key",
                        "-h", "127.0.0.1", "-P", "\(port)", "-u", "app", "-D", "app", "-Nse",
                        statement ?? "select @@port",
                    ]
                }
            let secrets = ["PGPASSWORD": "app-secret", "MYSQL_PWD": "app-secret"]
            return try await Command.run(command, environment: secrets.merging(environment) { $1 })
        }

        /// Runs the body for both engines in parallel, for tests that wait for long. The engines' servers are
        /// independent.
        static func besideEachOther(_ body: @escaping @Sendable (Engine) async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for engine in allCases { group.addTask { try await body(engine) } }
                try await group.waitForAll()
            }
        }

        /// Causes a fault on the replica: `kill`, `stop`, `cont`, `shutdown`, `promote`, `pause`, `resume`, `cut`,
        /// `mend` or `start`. On the primary also `early`.
        func fault(_ fault: String, on server: Server = .replica) async throws {
            try await Laboratory.fault(fault, on: "\(rawValue)-\(server.rawValue)")
        }
    }
}

struct CommandFailure: Error {
    let output: Command.Output
}

extension Trait where Self == ConditionTrait {
    /// For a test of what only MariaDB does.
    static var needsMariaDB: Self { .enabled(if: Laboratory.Engine.mariadb.isUp, "the laboratory has no MariaDB") }
}
