import FailoverTesting
import Foundation
import Testing

/// `failover ping` of every type, against the laboratory.
extension RealServers {
    @Suite("failover ping", .sharedServers)
    struct PingCommandTests {
        private struct Entry: Decodable {
            let name: String
            let type: String
            let location: String
            let state: String
            let duration_ms: Double
            let reason: String?
            let detail: String?
        }

        /// Runs `failover ping` with `config/services.yaml` for this laboratory's ports.
        private func ping(_ arguments: String...) async throws -> Command.Output {
            let shipped = try String(contentsOfFile: "\(Laboratory.root)/config/services.yaml", encoding: .utf8)
            let offset = Laboratory.Engine.postgres.primaryPort - 15432
            let text = shipped.replacing(/\b1[1356]\d{3}\b/) { "\((Int($0.output) ?? 0) + offset)" }
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("failover-\(UUID()).yaml")
            try text.write(to: file, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(at: file) }
            return try await Command.run([FailoverProcess.binary, "ping", "--config", file.path] + arguments)
        }

        private static let types = [
            "default": "postgres", "slave": "postgres", "orders": "mysql", "cache": "memcached", "sessions": "redis",
            "celery": "rabbitmq", "search": "tcp", "billing": "command",
        ]

        @Test func everyTypeHasALineUnderHeadings() async throws {
            let output = try await ping()
            #expect(output.status == 0, "\(output.standardOutput)")
            let lines = output.standardOutput.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            #expect(lines.first == ["NAME", "TYPE", "STATE", "TIME", "TLS", "CERTIFICATE", "REASON", "DETAIL"])
            #expect(Dictionary(uniqueKeysWithValues: lines.dropFirst().map { ($0[0], $0[1]) }) == Self.types)
            #expect(lines.dropFirst().allSatisfy { $0[2] == "up" })
            // The columns are aligned, except the last one.
            let starts = output.standardOutput.split(separator: "\n").map { line in
                line.range(of: line.contains("STATE") ? "STATE" : "up ").map {
                    line.distance(from: line.startIndex, to: $0.lowerBound)
                }
            }
            #expect(Set(starts).count == 1)
        }

        @Test func programsReadTheSameAsJSON() async throws {
            let output = try await ping("--json")
            #expect(output.status == 0)
            let entries = try JSONDecoder().decode([Entry].self, from: Data(output.standardOutput.utf8))
            #expect(Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.type) }) == Self.types)
            #expect(entries.allSatisfy { $0.state == "up" && $0.reason == nil && $0.detail == nil })
            #expect(entries.allSatisfy { !$0.location.isEmpty && $0.duration_ms > 0 })
        }

        @Test func whatIsDownSaysWhy() async throws {
            try await Laboratory.fault("kill", on: "memcached-2")
            let table = try await ping("cache", "search")
            let json = try await ping("--json", "cache")
            try await Laboratory.fault("start", on: "memcached-2")
            #expect(table.status == 1)
            let place = /cache +memcached +down +\S+ +servers down +1 of 2 servers down: 127\.0\.0\.1:\d+ \(refused\)/
            #expect(table.standardOutput.contains(place), "\(table.standardOutput)")
            #expect(json.status == 1)
            let entry = try #require(
                try JSONDecoder().decode([Entry].self, from: Data(json.standardOutput.utf8)).first)
            #expect(entry.state == "down")
            #expect(entry.reason == "servers down")
            #expect(entry.detail?.hasPrefix("1 of 2 servers down") == true)
        }
    }
}
