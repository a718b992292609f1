import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Replicas that answer with old data.
    @Suite("Replicas that lag")
    struct LagTests {
        private let replica = "role: replica, max_lag: 2s"

        /// Writes to the primary, so that the replica has something to apply.
        private func write(_ engine: Laboratory.Engine) async throws {
            try await engine.execute("create table if not exists writes (id int)", at: engine.primaryPort)
            try await engine.execute("insert into writes values (1)", at: engine.primaryPort)
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func replicaThatAppliesNothingServesNoNewSession(_ engine: Laboratory.Engine) async throws {
            let message = engine == .postgres ? "replay is paused" : "the SQL thread is stopped"
            let scratch = try Scratch()
            let events = scratch.path("events")
            let failover = try FailoverProcess(
                configuration: """
                    admin: {listen: "unix:\(scratch.path("admin"))"}
                    notify: [{type: command, run: [/bin/sh, -c, "cat >> \(events)"]}]
                    \(engine.configuration(primary: "role: primary", replica: replica))
                    """)
            /// The events that the notifier has received, one per line.
            @Sendable func told() -> [String] {
                scratch.text("events").split(separator: "\n").map(String.init)
            }
            @Sendable func metrics() async throws -> String {
                try await Command.run(
                    ["curl", "-sS", "--unix-socket", scratch.path("admin"), "http://localhost/metrics"]).standardOutput
            }
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            // Sessions may arrive before the first ping. The lag counts from the first ping that knows it.
            #expect(
                try await eventually { try await metrics().contains("failover_alias_lag_seconds{alias=\"slave\"} ") })

            try await engine.fault("pause")
            try await write(engine)
            #expect(await failover.logs("WARNING slave is stale. New sessions prefer other aliases."))
            let line = failover.log.last { $0.contains("WARNING slave is stale.") } ?? ""
            #expect(line.contains("behind: \(message)") && line.contains("serving=default"))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            #expect(await eventually { told().contains { $0.contains(#""event":"stale""#) && $0.contains(message) } })
            let late = try await metrics()
            #expect(late.contains("failover_alias_stale{alias=\"slave\"} 1\n"))
            #expect(late.contains(/failover_alias_lag_seconds{alias="slave"} [1-9]/), "\(late)")

            try await engine.fault("resume")
            #expect(await failover.logs("INFO slave is fresh again."))
            // On a busy machine the replica may lag once more before it has caught up.
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            #expect(
                try await eventually {
                    try await failover.command("status").standardOutput.contains(/slave +up, [0-9.]+m?s behind/)
                })
            #expect(await eventually { told().last?.contains(#""event":"fresh""#) == true })
            let isStale = told().map { $0.contains(#""event":"stale""#) }
            #expect(isStale.enumerated().allSatisfy { $1 == $0.isMultiple(of: 2) }, "\(told())")
            #expect(!failover.log.contains { $0.hasPrefix("CRITICAL") })
            try await failover.end()
        }

        /// The replica does not know what it misses. The primary's own pings report it.
        @Test(arguments: ["pause", "cut"])
        func bytesAreCountedAgainstThePrimary(fault: String) async throws {
            let engine = Laboratory.Engine.postgres
            let scratch = try Scratch()
            let failover = try FailoverProcess(
                configuration: "admin: {listen: \"unix:\(scratch.path("admin"))\"}\n"
                    + engine.configuration(primary: "role: primary", replica: "role: replica, max_lag_bytes: 4MB"))
            let port = try await failover.port()
            // The lag of a replica that is cut off before its first ping is unknown.
            #expect(try await eventually { try await failover.command("status", "--ready").status == 0 })
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try await engine.fault(fault)
            let message = fault == "cut" ? "the replica is cut off from its primary" : "replay is paused"
            for _ in 0..<6 {
                try await engine.administer(
                    "select pg_logical_emit_message(false, 'bulk', repeat('x', 1048576))", at: .primary)
            }
            try await write(engine)
            #expect(await failover.logs("WARNING slave is stale."))
            let line = failover.log.first { $0.contains("WARNING slave is stale.") } ?? ""
            #expect(line.contains(/detail="[0-9]+ (MB|kB) behind:/), "\(line)")
            #expect(line.contains(message), "\(line)")
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            try await engine.fault(fault == "cut" ? "mend" : "resume")
            #expect(await failover.logs("INFO slave is fresh again."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await failover.end()
        }

        /// With such a clock, the age of the latest transaction is negative. MariaDB corrects its seconds itself.
        @Test(arguments: Laboratory.Engine.allCases)
        func aClockThatIsLaterThanThePrimarysHidesNoLag(_ engine: Laboratory.Engine) async throws {
            try await engine.fault("early", on: .primary)
            // Waits until the replica follows again.
            try await engine.fault("start")
            let time = engine == .postgres ? "extract(epoch from clock_timestamp())" : "unix_timestamp()"
            let early = try #require(Double(try await engine.administer("select \(time)", at: .primary)))
            let late = try #require(Double(try await engine.administer("select \(time)", at: .replica)))
            #expect(early - late > 3500)
            let failover = try FailoverProcess(
                configuration: engine.configuration(replica: "role: replica, max_lag: 2s"))
            let port = try await failover.port()
            try await write(engine)
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try await engine.fault("pause")
            try await write(engine)
            #expect(await failover.logs("WARNING slave is stale."))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            try await engine.fault("resume")
            #expect(await failover.logs("INFO slave is fresh again."))
            #expect(failover.log.count { $0.contains("WARNING slave is stale") } == 1, "\(failover.log.suffix(8))")
            try await failover.end()
            try await engine.fault("shutdown", on: .primary)
            try await engine.fault("start", on: .primary)
            try await engine.fault("start")
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func replicationThatHasStoppedIsAnOutageWhereThatIsWanted(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(
                configuration: engine.configuration(replica: "\(replica), replication_stopped: down"))
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try await engine.fault("pause")
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(await failover.logs("reason=\"replication stopped\""))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            try await engine.fault("resume")
            #expect(await failover.logs("INFO slave is back up."))
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func replicaThatIsCutOffLagsAndServesWhenNobodyElseDoes(_ engine: Laboratory.Engine) async throws {
            let unused = UnusedPort()
            let failover = try FailoverProcess(
                configuration: engine.configuration(
                    replica: replica, ports: [unused.port, UInt16(engine.replicaPort)]))
            let port = try await failover.port()
            #expect(await failover.logs("CRITICAL default outage."))
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try await engine.fault("cut")
            #expect(await failover.logs("WARNING slave is stale."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            #expect(await failover.logs("WARNING slave: no fresh server is available, slave serves stale data"))

            let ping = try await failover.command("ping", "slave")
            #expect(ping.standardOutput.contains(" stale "), "\(ping.standardOutput)")
            try await engine.fault("mend")
            #expect(await failover.logs("INFO slave is fresh again."))
            try await failover.end()
        }

        @Test func whereStaleDataIsNotWantedTheClientReadsWhyNobodyServes() async throws {
            let engine = Laboratory.Engine.postgres
            let unused = UnusedPort()
            let failover = try FailoverProcess(
                configuration: engine.configuration(
                    replica: replica, route: "serve_stale: false", ports: [unused.port, UInt16(engine.replicaPort)]))
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try await engine.fault("cut")
            #expect(await failover.logs("WARNING slave is stale."))
            let error = try await engine.standardError(at: port)
            #expect(error.contains("slave: stale"), "\(error)")
            try await engine.fault("mend")
            #expect(await failover.logs("INFO slave is fresh again."))
            try await failover.end()
        }
    }
}
