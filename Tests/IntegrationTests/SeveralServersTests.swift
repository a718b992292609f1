import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Several replicas of one primary, and an alias that may be one of several primaries.
    @Suite("Several servers")
    struct SeveralServersTests {
        private static let second = Laboratory.port("LAB_PG_SECOND_PORT")

        private func alias(_ engine: Laboratory.Engine, at place: String, _ more: String) -> String {
            let database = engine == .postgres ? "engine: postgres, name: app" : "engine: mysql"
            return "{\(database), \(place), user: monitor, password: monitor-secret, ping_timeout: 60s, \(more)}"
        }

        private let patience = Laboratory.Engine.patience

        private let frequencies = """
            monitoring_ping_frequency: 500ms
            outage_ping_frequency: 200ms
            error_ping_frequency: 100ms
            fall: 2

            """

        /// The servers that answer this number of new sessions.
        private func whoAnswers(_ sessions: Int, at port: Int) async throws -> [Int?] {
            var answers: [Int?] = []
            for _ in 0..<sessions { answers.append(try await Laboratory.Engine.postgres.whoAnswers(at: port)) }
            return answers
        }

        @Test func twoReplicasOfWhichOneLags() async throws {
            let engine = Laboratory.Engine.postgres
            let replica = "role: replica, max_lag: 1s"
            let failover = try FailoverProcess(
                configuration: frequencies + """
                    databases:
                      default: \(alias(engine, at: "host: 127.0.0.1, port: \(engine.primaryPort)", "role: primary"))
                      slave: \(alias(engine, at: "host: 127.0.0.1, port: \(engine.replicaPort)", replica))
                      second: \(alias(engine, at: "host: 127.0.0.1, port: \(Self.second)", replica))
                    services:
                      replicas: {type: database, db_alias: [slave, second], listen: "127.0.0.1:0", \(patience)}
                    admin: {listen: "127.0.0.1:0"}
                    """)
            let port = try await failover.port(of: "replicas")
            // The sessions follow one another, so both aliases always have none, and take turns.
            #expect(
                try await eventually {
                    let answers = try await whoAnswers(6, at: port)
                    return answers.count { $0 == engine.replicaPort } == 3 && answers.count { $0 == Self.second } == 3
                })

            try await Laboratory.fault("pause", on: "postgres-second")
            try await engine.execute("create table if not exists writes (id int)", at: engine.primaryPort)
            try await engine.execute("insert into writes values (1)", at: engine.primaryPort)
            #expect(await failover.logs("WARNING second is stale. New sessions prefer other aliases."))
            #expect(try await whoAnswers(4, at: port).allSatisfy { $0 == engine.replicaPort })

            // No replica is up and fresh any more.
            try await engine.fault("kill")
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(try await whoAnswers(2, at: port).allSatisfy { $0 == engine.primaryPort })

            try await Laboratory.fault("resume", on: "postgres-second")
            #expect(await failover.logs("INFO second is fresh again."))
            #expect(try await whoAnswers(4, at: port).allSatisfy { $0 == Self.second })
            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up."))
            // It answers before it follows its primary again. Until a ping sees that it does, the age of its data is
            // unknown: it is up, and stale.
            #expect(
                try await eventually {
                    Set(try await whoAnswers(4, at: port)) == [engine.replicaPort, Self.second]
                })
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func afterAPromotionTheWritableOneIsTaken(_ engine: Laboratory.Engine) async throws {
            let hosts = "host: [\"127.0.0.1:\(engine.primaryPort)\", \"127.0.0.1:\(engine.replicaPort)\"]"
            let failover = try FailoverProcess(
                configuration: frequencies + """
                    databases:
                      default: \(alias(engine, at: hosts, "role: primary"))
                    services:
                      writes: {type: database, db_alias: default, listen: "127.0.0.1:0", \(patience)}
                    """)
            let port = try await failover.port(of: "writes")
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)

            // Any tool may promote it: the former primary is gone, and the replica accepts writes.
            try await Laboratory.fault("kill", on: "\(engine.rawValue)-primary")
            #expect(await failover.logs("CRITICAL writes outage."))
            try await engine.fault("promote")
            #expect(await failover.logs("INFO writes is back up."))
            #expect(await failover.logs("NOTICE writes has moved to 127.0.0.1:\(engine.replicaPort)."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)

            // The former primary comes back and accepts writes too: no session is sent there.
            try await Laboratory.fault("start", on: "\(engine.rawValue)-primary")
            #expect(try await engine.whoAnswers(at: engine.primaryPort) == engine.primaryPort)
            let ping = try await failover.command("ping", "default")
            #expect(ping.status == 0)
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)

            // The former primary is the only one again: sessions of the other must leave.
            try await engine.fault("start")
            #expect(await failover.logs("NOTICE writes has moved to 127.0.0.1:\(engine.primaryPort)."))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            try await failover.end()
        }
    }
}
