import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// `failover doctor` against the laboratory, and against one that is broken on purpose.
    @Suite("failover doctor")
    struct DoctorTests {
        private struct Report: Decodable {
            struct Subject: Decodable {
                let type: String
                let name: String
            }
            struct Finding: Decodable {
                let id: String
                let level: String
                let subject: Subject
                let reason: String
                let remedy: String
            }
            struct Skip: Decodable {
                let subject: Subject
                let reason: String
            }
            let findings: [Finding]
            let skipped: [Skip]
        }

        private func doctor(_ arguments: String...) async throws -> Command.Output {
            try await Command.run(
                [FailoverProcess.binary, "doctor"] + arguments, environment: ["LAB_MONITOR_PASSWORD": "monitor-secret"])
        }

        /// A configuration without problems, with everything in the laboratory.
        private var sound: String {
            func alias(_ engine: Laboratory.Engine, _ port: Int, _ role: String) -> String {
                let kind = engine == .postgres ? "postgres, name: app" : "mysql"
                let ca = ProcessInfo.processInfo.environment["LAB_TLS_CA"] ?? ""
                return """
                    {engine: \(kind), host: 127.0.0.1, port: \(port), user: monitor, password: {env: LAB_MONITOR_PASSWORD}, \
                    tls: verify-full, tls_ca: \(ca), role: \(role)}
                    """
            }
            let postgres = Laboratory.Engine.postgres
            // Their configuration is the same.
            let others = Laboratory.Engine.allCases.filter { $0 != .postgres }
            let aliases = others.map { engine in
                """
                  orders-primary-\(engine): \(alias(engine, engine.primaryPort, "primary"))
                  orders-\(engine): \(alias(engine, engine.replicaPort, "replica, max_lag: 10s"))
                """
            }
            let routes = others.map { engine in
                """
                  orders-\(engine): {type: database, db_alias: orders-\(engine), \
                failover_db_alias: orders-primary-\(engine), listen: "127.0.0.1:0"}
                """
            }
            return """
                monitoring_ping_frequency: 2s
                databases:
                  default: \(alias(postgres, postgres.primaryPort, "primary"))
                  slave: \(alias(postgres, postgres.replicaPort, "replica, max_lag: 10s, max_connections: 50"))
                \(aliases.joined(separator: "\n"))
                services:
                  slave: {type: database, listen: "127.0.0.1:0", max_connections: 60}
                \(routes.joined(separator: "\n"))

                """
        }

        /// Servers that another test has just started may not be connected to each other yet.
        private func settle() async throws {
            for engine in Laboratory.Engine.allCases { try await engine.fault("start") }
        }

        @Test func nothingIsFoundInAHealthyLaboratory() async throws {
            try await settle()
            let scratch = try Scratch()
            try scratch.write(sound, to: "failover.yaml")
            let output = try await doctor("--config", scratch.path("failover.yaml"))
            let engines = Laboratory.Engine.allCases.count
            #expect(output.status == 0, "\(output)")
            #expect(output.standardOutput == "no findings in \(2 * engines) aliases and \(engines) services\n")
            #expect(output.standardError.isEmpty)
        }

        /// The shipped configurations of laboratories, of which a run has not all engines.
        private static let shipped = [("lab-postgres", Laboratory.Engine.postgres), ("lab-mysql", .mariadb)]

        @Test(arguments: shipped.filter(\.1.isUp).map(\.0))
        func nothingIsFoundWithTheShippedConfigurations(_ name: String) async throws {
            try await settle()
            let shipped = try String(contentsOfFile: "\(Laboratory.root)/config/\(name).yaml", encoding: .utf8)
            let offset = Laboratory.Engine.postgres.primaryPort - 15432
            let scratch = try Scratch()
            try scratch.write(
                shipped.replacing(/\b1[35]\d{3}\b/) { "\((Int($0.output) ?? 0) + offset)" }, to: "failover.yaml")
            let output = try await doctor("--config", scratch.path("failover.yaml"))
            #expect(output.status == 0, "\(output)")
            #expect(output.standardOutput == "no findings in 2 aliases and 1 service\n")
        }

        @Test func hintsAloneAreNoFinding() async throws {
            try await settle()
            let scratch = try Scratch()
            try scratch.write(sound.replacing(", max_lag: 10s", with: ""), to: "failover.yaml")
            let output = try await doctor("--config", scratch.path("failover.yaml"))
            let engines = Laboratory.Engine.allCases.count
            #expect(output.status == 0, "\(output)")
            #expect(output.standardOutput.contains("hint, max-lag-unset: "))
            #expect(
                output.standardOutput.hasSuffix(
                    "\nno findings and \(engines) hints in \(2 * engines) aliases and \(engines) services\n"))
        }

        @Test func wrongConfigurationAndWrongUsageAreToldApart() async throws {
            let scratch = try Scratch()
            try scratch.write("databases: {a: {}}\n", to: "failover.yaml")
            #expect(try await doctor("--config", scratch.path("failover.yaml")).status == 78)
            #expect(try await doctor("--fast").status == 64)
        }

        /// The faults of `scripts/lab up --broken`: by alias, route, service or file, each with the kind of finding.
        private static let planted: Set = [
            "default certificate-ends", "default server-limit",
            "slave lag-hidden", "slave attest-hidden", "slave follows-another", "slave time-zones-differ",
            "slave clocks-differ",
            "slave server-limit", "slave max-lag-short",
            "reports not-a-replica", "reports role-unset", "reports max-lag-unset",
            "twin same-server", "twin ping-query",
            "stranger no-login", "nowhere name-unresolved", "nowhere server-unverified",
            "orders-primary max-connect-errors", "orders-primary certificate-ends",
            "orders follows-another", "orders versions-differ", "orders time-zones-differ",
            "orders replication-stopped",
            "blind lag-hidden",
            "stock not-a-replica", "stock-primary primary-read-only",
            "route slave primary-too-small", "closed no-login",
            "password secret-readable", "broken.yaml configuration-readable", "ca.pem authority-ends",
        ]

        /// Runs doctor in both output formats, in a broken laboratory beside that of the other tests.
        private func doctorsOfABrokenLaboratory() async throws -> (json: Command.Output, text: Command.Output) {
            let script = Laboratory.script
            let folder = URL(fileURLWithPath: script).deletingLastPathComponent().deletingLastPathComponent().path
            let offset = Laboratory.port("LAB_PG_PRIMARY_PORT") - 15432 + 300
            let laboratory = ["env", "LAB_NAME=doctor", "LAB_PORT_OFFSET=\(offset)", script]
            _ = try await Command.run(laboratory + ["down"])
            let up = try await Command.run(laboratory + ["up", "--broken"])
            let configuration = "\(folder)/.lab-doctor/broken.yaml"
            let json = try await doctor("--json", "--config", configuration)
            let text = try await doctor("--config", configuration)
            let down = try await Command.run(laboratory + ["down"])
            for output in [up, down] where output.status != 0 { throw CommandFailure(output: output) }
            return (json, text)
        }

        @Test(.enabled(if: !Laboratory.isNewest, "only Debian 12's servers are broken on purpose"))
        func eachPlantedFaultOfABrokenLaboratoryIsFound() async throws {
            let (json, text) = try await doctorsOfABrokenLaboratory()
            #expect(json.status == 1, "\(json)")
            let report = try JSONDecoder().decode(Report.self, from: Data(json.standardOutput.utf8))
            let found = Set(
                report.findings.map { finding in
                    let name = finding.subject.name
                    switch finding.subject.type {
                    case "route": return "route \(name) \(finding.id)"
                    case "file": return "\(URL(fileURLWithPath: name).lastPathComponent) \(finding.id)"
                    default: return "\(name) \(finding.id)"
                    }
                })
            #expect(Self.planted.subtracting(found).isEmpty, "\(json.standardOutput)")
            // No other kind of finding: nothing else is wrong.
            let kinds = Set(Self.planted.map { $0.split(separator: " ").last ?? "" })
            #expect(Set(report.findings.map { Substring($0.id) }) == kinds)
            #expect(report.skipped.map(\.subject.name) == ["stranger", "nowhere"])

            #expect(text.status == 1)
            #expect(text.standardOutput.split(separator: "\n").allSatisfy { $0.count <= 110 || $0.contains("→ ") })
            // The numbers differ from one run to the next.
            for finding in report.findings {
                #expect(text.standardOutput.contains("\(finding.id): "))
                #expect(!finding.reason.isEmpty && !finding.remedy.isEmpty)
            }
            for secret in ["monitor-secret", "guess"] {
                #expect(!json.standardOutput.contains(secret) && !text.standardOutput.contains(secret))
            }
        }
    }
}
