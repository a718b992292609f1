import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// As in a container: alone in a PID namespace, which only root may create.
    @Suite("The first process of a container", .enabled(if: getuid() == 0, "only root may make a PID namespace"))
    struct FirstProcessTests {
        private let namespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]

        /// The process in the namespace.
        private func first(of failover: FailoverProcess) throws -> Int32 {
            try #require(children(of: failover.pid).first)
        }

        private func children(of process: Int32) -> [Int32] {
            let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
            return tasks.flatMap { task in
                let text = try? String(contentsOfFile: "/proc/\(process)/task/\(task)/children", encoding: .utf8)
                return (text ?? "").split(separator: " ").compactMap { Int32($0) }
            }
        }

        @Test func whatHooksLeaveRunningIsTakenAwayWhenItEnds() async throws {
            let scratch = try Scratch()
            let (marks, wanted) = (scratch.path("marks"), scratch.path("wanted"))
            try "".write(toFile: wanted, atomically: true, encoding: .utf8)
            let ping = "if [ -e \(wanted) ]; then sleep 0.1 & echo >> \(marks); fi"
            let failover = try FailoverProcess(
                configuration: """
                    monitoring_ping_frequency: 100ms
                    services: {billing: {type: command, ping: [/bin/sh, -c, "\(ping)"]}}
                    """, prefix: namespace)
            #expect(await eventually { (try? String(contentsOfFile: marks, encoding: .utf8))?.count ?? 0 >= 5 })
            try FileManager.default.removeItem(atPath: wanted)
            let first = try first(of: failover)
            #expect(await eventually { children(of: first).isEmpty })
            kill(first, SIGTERM)
            #expect(try await failover.status() == 0)
        }

        @Test func aSecondSignalEndsItToo() async throws {
            let failover = try FailoverProcess(
                configuration: "shutdown_grace: 1h\n" + Laboratory.Engine.postgres.configuration(), prefix: namespace)
            let session = try await TCPClient.answeredByPostgres(port: try await failover.port())
            let first = try first(of: failover)
            kill(first, SIGTERM)
            #expect(await failover.logs("stopping"))
            kill(first, SIGTERM)
            #expect(try await failover.status() == 128 + SIGTERM)
            #expect(try await session.drain() == 0)
        }
    }
}
