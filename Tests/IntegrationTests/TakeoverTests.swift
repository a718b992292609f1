import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// A new process takes over from a serving one, with real servers.
    @Suite("Taking over")
    struct TakeoverTests {
        private let scratch: Scratch
        private let engine = Laboratory.Engine.postgres

        init() throws { scratch = try Scratch() }

        private func configuration(_ more: String = "") -> String {
            """
            admin: {listen: "unix:\(scratch.path("admin"))"}
            takeover_socket: \(scratch.path("takeover"))
            \(more)
            \(engine.configuration())
            """
        }

        private func successor(_ more: String = "") throws -> FailoverProcess {
            try FailoverProcess(configuration: configuration(more), arguments: ["--takeover"])
        }

        @Test func twentyProcessesFollowEachOtherUnderLoadAndNoClientNotices() async throws {
            // At first there is no process to take over from.
            var failover = try successor()
            let port = try await failover.port()
            #expect(await failover.logs("NOTICE there is no process to take over from"))
            let load = PgbenchLoad(port: port, scratch: scratch)
            let running = Task { try await load.run() }
            for _ in 0..<20 {
                let next = try successor()
                #expect(await next.logs("NOTICE took over from the former process"))
                #expect(try await next.port() == port)
                #expect(try await failover.status() == 0)
                #expect(
                    failover.log.allSatisfy { !$0.hasPrefix("WARNING") && !$0.hasPrefix("ERROR") }, "\(failover.log)")
                failover = next
            }
            running.cancel()
            #expect(try await running.value > 0)
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await failover.end()
        }

        @Test func whatOperatorsDidAndWhatIsDownIsKnownToTheNextProcess() async throws {
            let former = try FailoverProcess(configuration: configuration())
            let port = try await former.port()
            #expect(try await former.command("switch", "slave", "default", "--for", "1h").status == 0)
            #expect(try await former.command("drain", "slave").status == 0)
            try await engine.fault("kill")
            #expect(await former.logs("CRITICAL slave outage."))

            let next = try successor()
            #expect(await next.logs("NOTICE took over from the former process"))
            #expect(try await former.status() == 0)
            let status = try await next.command("status").standardOutput
            #expect(status.contains(#/\nslave +postgres +down /#), "\(status)")
            #expect(status.contains(#/slave +down, draining/#), "\(status)")
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            try await engine.fault("start")
            #expect(await next.logs("INFO slave is back up."))
            #expect(!next.log.contains { $0.hasPrefix("CRITICAL") }, "it was reported already")
            #expect(try await next.command("undrain", "slave").status == 0)
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            #expect(try await next.command("release", "slave").status == 0)
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await next.end()
        }

        @Test func aProcessThatCannotServeLeavesTheFormerOneAlone() async throws {
            let former = try FailoverProcess(configuration: configuration())
            let port = try await former.port()
            let taken = EchoBackend()
            let next = try FailoverProcess(
                configuration: configuration() + "  other: {type: database, db_alias: default, "
                    + "listen: \"127.0.0.1:\(taken.port)\"}\n", arguments: ["--takeover"])
            #expect(try await next.status() == 1)
            #expect(await former.logs("WARNING another process did not take over"))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            #expect(try await former.command("status").status == 0)
            // A process without `--takeover` does not take over either.
            let other = try FailoverProcess(configuration: configuration())
            #expect(try await other.status() == 1)
            try await former.end()
        }

        @Test func sessionsOfTheFormerProcessMoveWhereItIsSafeAndCanBeCancelled() async throws {
            let former = try FailoverProcess(configuration: configuration("shutdown_grace: 1h"))
            let port = try await former.port()
            let client = "\(Laboratory.root)/Tests/IntegrationTests/Clients/cancel.py"
            let sleeping = Task {
                try await Command.run(["/usr/bin/python3", "-B", client, "\(port)", scratch.path("now")])
            }
            #expect(try await eventually { try await queries("pg_sleep(600)") == 1 })
            let next = try successor("shutdown_grace: 1h")
            #expect(await next.logs("NOTICE took over from the former process"))
            // The cancel request arrives at the new process. Its session belongs to the former one.
            try scratch.write("", to: "now")
            #expect(try await sleeping.value.standardOutput == "disable \(engine.replicaPort)\n")
            #expect(try await former.status() == 0)
            try await next.end()
        }

        /// The number of sessions on the replica that run a query with this text.
        private func queries(_ text: String) async throws -> Int? {
            let query = "select count(*) from pg_stat_activity where query like '%\(text)%' and pid <> pg_backend_pid()"
            let output = try await Command.run(
                [
                    "psql", "-X", "-h", "127.0.0.1", "-p", "\(engine.replicaPort)", "-U", "app", "-d", "app", "-Atc",
                    query,
                ], environment: ["PGPASSWORD": "app-secret"])
            return Int(output.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
}
