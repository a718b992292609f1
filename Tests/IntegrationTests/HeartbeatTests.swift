import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// A table that the primary writes the time to.
    @Suite("Heartbeat tables")
    struct HeartbeatTests {
        /// The seconds since the latest beat.
        private func query(_ engine: Laboratory.Engine) -> String {
            engine == .postgres
                ? "SELECT EXTRACT(EPOCH FROM clock_timestamp() - max(at)) FROM heartbeat"
                : "SELECT TIMESTAMPDIFF(MICROSECOND, MAX(ts), UTC_TIMESTAMP(6)) / 1000000 FROM app.heartbeat"
        }

        private func replica(_ engine: Laboratory.Engine, maxLag: String = "1m") -> String {
            "role: replica, max_lag: \(maxLag), heartbeat_query: \"\(query(engine))\""
        }

        /// Creates a table like that of pt-heartbeat, without a row, that the ping may read.
        private func makeTable(_ engine: Laboratory.Engine) async throws {
            let column = engine == .postgres ? "at timestamptz" : "ts varchar(26)"
            try await engine.execute("drop table if exists heartbeat", at: engine.primaryPort)
            try await engine.execute("create table heartbeat (\(column))", at: engine.primaryPort)
            let name = engine == .postgres ? "heartbeat" : "app.heartbeat"
            try await engine.administer("grant select on \(name) to monitor", at: .primary)
        }

        /// Writes the time of a clock that is `ahead` seconds ahead.
        private func beat(_ engine: Laboratory.Engine, ahead: Int = 0) async throws {
            let time =
                engine == .postgres
                ? "clock_timestamp() + interval '\(ahead) s'"
                : "date_format(utc_timestamp(6) + interval \(ahead) second, '%Y-%m-%dT%H:%i:%s.%f')"
            // In one transaction: a ping that read the table without a row would find, and log, another lag than the
            // test expects.
            try await engine.execute(
                "begin; delete from heartbeat; insert into heartbeat values (\(time)); commit", at: engine.primaryPort)
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func whatTheTableSaysIsTheLag(_ engine: Laboratory.Engine) async throws {
            try await makeTable(engine)
            let failover = try FailoverProcess(configuration: engine.configuration(replica: replica(engine)))
            let port = try await failover.port()
            #expect(
                await failover.logs(
                    "WARNING slave is stale. New sessions prefer other aliases. detail=\"lag unknown\""))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            try await beat(engine)
            #expect(await failover.logs("INFO slave is fresh again."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            // The primary's clock is two minutes late, or the last write is that old. The replica has received
            // everything.
            try await beat(engine, ahead: -120)
            #expect(await eventually { failover.log.contains { $0.contains("detail=\"2m ") } })
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            #expect(!failover.log.contains { $0.hasPrefix("CRITICAL") })
            try await failover.end()
        }

        /// A clock that is ahead where the time is written hides that much lag. The manual warns of this.
        @Test(arguments: Laboratory.Engine.allCases)
        func aBeatOfTheFutureIsNoLag(_ engine: Laboratory.Engine) async throws {
            try await makeTable(engine)
            try await beat(engine, ahead: 3600)
            #expect(try await eventually { try await ping(engine, replica(engine)).contains(" up ") })
            try await engine.fault("pause")
            let message = engine == .postgres ? "replay is paused" : "the SQL thread is stopped"
            let output = try await ping(engine, replica(engine))
            try await engine.fault("resume")
            #expect(output.contains(" up "), "\(output)")
            #expect(!output.contains(message), "\(output)")
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func threadsThatHaveStoppedStillCount(_ engine: Laboratory.Engine) async throws {
            try await makeTable(engine)
            try await beat(engine)
            #expect(try await eventually { try await ping(engine, replica(engine)).contains(" up ") })
            try await engine.fault("pause")
            let down = try await ping(engine, "\(replica(engine)), replication_stopped: down")
            let ignored = try await ping(engine, "\(replica(engine)), replication_stopped: ignore")
            try await beat(engine)
            try await engine.fault("resume")
            #expect(down.contains("replication stopped"), "\(down)")
            #expect(ignored.contains(" up "), "\(ignored)")
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func aQueryThatIsMistakenIsToldInClearWords(_ engine: Laboratory.Engine) async throws {
            let mistakes = [
                ("SELECT 1, 2", "heartbeat_query: the answer has 2 columns instead of one"),
                ("SELECT 1 UNION SELECT 2", "heartbeat_query: the answer has 2 rows instead of one"),
                ("SELECT 'soon'", "heartbeat_query: the answer `soon` is not a number of seconds"),
                (
                    "SELECT 1 FROM nothing.here",
                    engine == .postgres
                        ? "heartbeat_query: ERROR: relation \"nothing.here\" does not exist" : "heartbeat_query: 1142: "
                ),
            ]
            for (query, message) in mistakes {
                let output = try await ping(engine, "max_lag: 1m, heartbeat_query: \"\(query)\"")
                #expect(output.contains(" degraded "), "\(output)")
                #expect(output.contains(message), "\(output)")
            }
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func whoMayNotReadTheTableReadsWhatHelps(_ engine: Laboratory.Engine) async throws {
            try await engine.execute("create table if not exists closed (seconds int)", at: engine.primaryPort)
            #expect(
                await eventually {
                    (try? await engine.execute("select * from closed", at: engine.replicaPort)) != nil
                })
            let table = engine == .postgres ? "closed" : "app.closed"
            let query = "SELECT max(seconds) FROM \(table)"
            let output = try await ping(engine, "max_lag: 1m, heartbeat_query: \"\(query)\"")
            #expect(output.contains("missing privilege"), "\(output)")
            #expect(output.contains("grant it with: GRANT SELECT ON <table>"), "\(output)")
        }

        /// The output of `failover ping slave`.
        private func ping(_ engine: Laboratory.Engine, _ replica: String) async throws -> String {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("failover-\(UUID()).yaml")
            try engine.configuration(replica: replica).write(to: file, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(at: file) }
            return try await Command.run([FailoverProcess.binary, "ping", "--config", file.path, "slave"])
                .standardOutput
        }
    }
}
