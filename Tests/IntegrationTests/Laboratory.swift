import FailoverTesting
import Foundation

/// The real servers that `scripts/lab` runs; `scripts/test` starts them.
enum Laboratory {
    /// Whether they are there.
    static let isUp = ProcessInfo.processInfo.environment["FAILOVER_LAB"] != nil

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// One engine's servers and its real client.
    enum Engine: String, CaseIterable, Sendable {
        case postgres
        case mariadb

        var primaryPort: Int { port(self == .postgres ? "LAB_PG_PRIMARY_PORT" : "LAB_MY_PRIMARY_PORT") }
        var replicaPort: Int { port(self == .postgres ? "LAB_PG_REPLICA_PORT" : "LAB_MY_REPLICA_PORT") }

        private func port(_ name: String) -> Int {
            ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? 0
        }

        /// The databases and a route over them, listening on a port that the system chooses.
        func configuration(pingTimeout: String = "10s") -> String {
            let engine = self == .postgres ? "engine: postgres, name: app" : "engine: mysql"
            func alias(_ port: Int) -> String {
                """
                {\(engine), host: 127.0.0.1, port: \(port), user: monitor, password: monitor-secret, \
                ping_timeout: \(pingTimeout)}
                """
            }
            return """
                monitoring_ping_frequency: 500ms
                outage_ping_frequency: 200ms
                error_ping_frequency: 100ms
                fall: 2
                databases:
                  default: \(alias(primaryPort))
                  slave: \(alias(replicaPort))
                services:
                  slave: {type: database, listen: "127.0.0.1:0"}

                """
        }

        /// The port of the server that answers a new connection of the engine's own client; `nil` when none does.
        func whoAnswers(at port: Int) async throws -> Int? {
            let command =
                switch self {
                case .postgres:
                    [
                        "timeout", "60", "psql", "-X", "-h", "127.0.0.1", "-p", "\(port)", "-U", "app", "-d", "app",
                        "-Atc",
                        "select inet_server_port()",
                    ]
                case .mariadb:
                    [
                        "timeout", "60", "mariadb", "--no-defaults", "--skip-ssl", "-h", "127.0.0.1", "-P", "\(port)",
                        "-u", "app",
                        "-D", "app", "-Nse", "select @@port",
                    ]
                }
            let output = try await Command.run(
                command,
                environment: ["PGPASSWORD": "app-secret", "MYSQL_PWD": "app-secret"])
            return Int(output.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines))
        }

        /// Plays a fault on the replica: `kill`, `stop`, `cont`, `shutdown` or `start`.
        func fault(_ fault: String) async throws {
            let script = ProcessInfo.processInfo.environment["LAB_SCRIPT"] ?? "\(Laboratory.root)/scripts/lab"
            let output = try await Command.run([script, "fault", "\(rawValue)-replica", fault])
            guard output.status == 0 else { throw CommandFailure(output: output) }
        }
    }
}

struct CommandFailure: Error {
    let output: Command.Output
}
