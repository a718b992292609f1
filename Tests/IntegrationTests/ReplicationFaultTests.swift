import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Faults of replication, and their consequences.
    @Suite("Replicas that no longer follow")
    struct ReplicationFaultTests {
        /// The replica has a row that the primary does not have, until the primary inserts it.
        @Test(.needsMariaDB) func anErrorOfTheThreadThatAppliesIsAnOutageInItsOwnWords() async throws {
            let engine = Laboratory.Engine.mariadb
            try await engine.administer("create or replace table app.conflict (id int primary key)", at: .primary)
            #expect(
                await eventually {
                    (try? await engine.administer("select count(*) from app.conflict", at: .replica)) == "0"
                })
            let failover = try FailoverProcess(
                configuration: engine.configuration(
                    replica: "role: replica, max_lag: 1m, replication_stopped: down"))
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })

            try await engine.administer(
                "set session sql_log_bin = 0// insert into app.conflict values (1)", at: .replica)
            try await engine.administer("insert into app.conflict values (1)", at: .primary)
            #expect(await failover.logs("CRITICAL slave outage."))
            let line = failover.log.first { $0.hasPrefix("CRITICAL slave outage.") } ?? ""
            #expect(line.contains("reason=\"replication stopped\""), "\(line)")
            #expect(line.contains("the SQL thread is stopped: "), "\(line)")
            #expect(line.contains("Duplicate entry '1' for key 'PRIMARY'"), "\(line)")
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)

            try await engine.administer("set session sql_log_bin = 0// delete from app.conflict", at: .replica)
            // `start slave` has no effect on a thread that has reported its error and has not ended yet.
            #expect(
                try await eventually {
                    try await engine.administer("start slave", at: .replica)
                    return try await engine.administer("select count(*) from app.conflict", at: .replica) == "1"
                })
            #expect(await failover.logs("INFO slave is back up."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await failover.end()
        }

        /// Case 13: each source counts once it has been started.
        @Test(.needsMariaDB) func ofTwoSourcesTheOneThatStandsIsNamed() async throws {
            let engine = Laboratory.Engine.mariadb
            try await engine.administer(
                """
                change master 'second' to master_host = 'localhost', master_port = \(engine.primaryPort), \
                master_user = 'replicator', master_password = 'replicator-secret', master_use_gtid = slave_pos
                """, at: .replica)
            let configuration = engine.configuration(replica: "role: replica, max_lag: 1m, replication_stopped: down")
            let before = try FailoverProcess(configuration: configuration)
            #expect(try await before.command("ping", "slave").standardOutput.contains(" up "))
            try await before.end()
            #expect(!before.log.contains { $0.hasPrefix("CRITICAL") || $0.hasPrefix("WARNING") }, "\(before.log)")

            @Sendable func status(_ channel: String) async throws -> [String] {
                let row = try await engine.administer("show slave '\(channel)' status", at: .replica)
                return row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            }
            // The primary ends each of the two connections when the other begins, because they have the same server
            // id. So one of them is stopped.
            try await engine.administer("stop slave io_thread", at: .replica)
            try await engine.administer("start slave 'second' io_thread", at: .replica)
            // Master_Log_File, four columns after Master_Host: set once the source has reported the position of the
            // primary's log.
            let hasBegun = try await eventually {
                try await status("second").drop { $0 != "localhost" }.dropFirst(4).first?.isEmpty == false
            }
            #expect(hasBegun)
            try await engine.administer("stop slave 'second'", at: .replica)
            try await engine.administer("start slave io_thread", at: .replica)
            #expect(try await eventually { try await status("").first == "Waiting for master to send event" })
            let failover = try FailoverProcess(configuration: configuration)
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(await failover.logs("channel second: the IO thread is stopped; the SQL thread is stopped\""))
            try await engine.administer("reset slave 'second' all", at: .replica)
            #expect(await failover.logs("INFO slave is back up."))
            try await failover.end()
        }

        /// When the replica is found promoted, its sessions end, and no session reaches it any more.
        @Test(arguments: Laboratory.Engine.allCases)
        func sessionsOfAPromotedReplicaEndAndNothingIsWrittenToIt(_ engine: Laboratory.Engine) async throws {
            let table = engine == .postgres ? "promoted" : "app.promoted"
            try await engine.execute("drop table if exists promoted", at: engine.primaryPort)
            try await engine.execute("create table promoted (id int)", at: engine.primaryPort)
            #expect(
                await eventually {
                    (try? await engine.administer("select count(*) from \(table)", at: .replica)) == "0"
                })
            let failover = try FailoverProcess(
                configuration: engine.configuration(primary: "role: primary", replica: "role: replica"))
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })

            // It would run longer than the test may.
            let sleep = engine == .postgres ? "select pg_sleep(280)" : "select sleep(280)"
            let held = Task { try await engine.execute(sleep, at: port) }
            let list =
                engine == .postgres
                ? "select count(*) from pg_stat_activity where query like 'select pg_sleep(280)%'"
                : "select count(*) from information_schema.processlist where info like 'select sleep(280)%'"
            #expect(try await eventually { try await engine.administer(list, at: .replica) != "0" })

            try await engine.fault("promote")
            #expect(await failover.logs("reason=\"wrong role\""))
            let end = await #expect(throws: CommandFailure.self) { try await held.value }
            // The status that its time limit would cause.
            #expect(end?.output.status != 124)
            for _ in 0..<10 { try await engine.execute("insert into promoted values (1)", at: port) }
            #expect(try await engine.administer("select count(*) from \(table)", at: .primary) == "10")
            #expect(try await engine.administer("select count(*) from \(table)", at: .replica) == "0")

            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up."))
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try await failover.end()
        }

        /// For ten times `max_lag`, and longer than either server's own heartbeat.
        @Test func aPrimaryThatIsIdleIsNoLag() async throws {
            var running: [(engine: Laboratory.Engine, failover: FailoverProcess)] = []
            for engine in Laboratory.Engine.allCases {
                try await engine.execute("create table if not exists writes (id int)", at: engine.primaryPort)
                try await engine.execute("insert into writes values (1)", at: engine.primaryPort)
                let failover = try FailoverProcess(
                    configuration: engine.configuration(replica: "role: replica, max_lag: 2s"))
                let port = try await failover.port()
                #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
                running.append((engine, failover))
            }
            // The age of the replica's latest applied transaction, because there were no other writes. One check per
            // second.
            let age = """
                select extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) > 20 from pg_sleep(1)
                """
            #expect(
                try await eventually { try await Laboratory.Engine.postgres.administer(age, at: .replica) == "t" },
                "there was a write")
            for (engine, failover) in running {
                #expect(try await engine.whoAnswers(at: try await failover.port()) == engine.replicaPort)
                try await failover.end()
                #expect(!failover.log.contains { $0.contains("stale") }, "\(failover.log)")
            }
        }
    }
}
