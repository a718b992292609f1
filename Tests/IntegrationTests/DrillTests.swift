import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// A rehearsed outage, with real servers and clients.
    @Suite("Drills")
    struct DrillTests {
        /// The parts of `failover drill --json` that these tests use.
        private struct Document: Decodable {
            struct Sessions: Decodable {
                let leftAfterMs: Double?
                let new: [String: Int]
                let refused: Int
                let firstBackAfterMs: Double?
                let allBackAfterMs: Double?
            }

            struct Probes: Decodable {
                let count: Int
                let failed: Int
                let answeredBy: [String: Int]
                let medianMs: Double?
            }

            let passed: Bool
            let problems: [String]
            let ending: String?
            let sessions: Sessions
            let probes: Probes?
        }

        private let scratch: Scratch
        private let postgres = Laboratory.Engine.postgres

        init() throws { scratch = try Scratch() }

        private func configuration(
            _ engine: Laboratory.Engine, route: String? = nil, ports: [UInt16]? = nil
        ) -> String {
            "admin: {listen: \"unix:\(scratch.path("admin"))\"}\n" + engine.configuration(route: route, ports: ports)
        }

        private func document(_ output: Command.Output) throws -> Document {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try #require(
                try? decoder.decode(Document.self, from: Data(output.standardOutput.utf8)),
                "\(output.standardOutput) \(output.standardError)")
        }

        /// Starts a drill and waits until it is in progress.
        private func drill(_ failover: FailoverProcess, for time: String) async throws -> ChildProcess {
            let drill = try ChildProcess(
                [FailoverProcess.binary, "drill", "slave", "--for", time, "--config", failover.configurationPath],
                output: scratch.path("drill"), error: scratch.path("drill"))
            #expect(await failover.logs("NOTICE slave: a drill has begun, slave counts as down for \(time)"))
            return drill
        }

        /// Drills until the time has passed.
        private func rehearse(
            _ failover: FailoverProcess, for time: Duration, force: Bool = false
        ) async throws -> Command.Output {
            let length = "\(time.components.seconds)s"
            return try await force
                ? failover.command("drill", "slave", "--force", "--for", length, "--json")
                : failover.command("drill", "slave", "--for", length, "--json")
        }

        /// What the command has printed.
        private var said: String { (try? String(contentsOfFile: scratch.path("drill"), encoding: .utf8)) ?? "" }

        @Test func sessionsMoveAndComeBack() async throws {
            try await Laboratory.Engine.besideEachOther { try await DrillTests().sessionsMoveAndComeBack($0) }
        }

        private func sessionsMoveAndComeBack(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(configuration: configuration(engine))
            let port = try await failover.port()
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            let seen = try await patiently(.seconds(6)) { (seen: Seen) in
                seen.result.probes?.answeredBy["default"] != nil
            } _: {
                try await drill(failover, engine, for: $0)
            }
            let result = seen.result
            #expect(result.passed)
            #expect(result.sessions.leftAfterMs != nil)
            #expect(result.sessions.new["slave"] == 0)
            #expect(try #require(result.sessions.new["default"]) > 0)
            #expect(result.sessions.firstBackAfterMs != nil && result.sessions.allBackAfterMs != nil)
            let probes = try #require(result.probes)
            #expect(probes.failed == 0)
            #expect(Set(probes.answeredBy.keys) == ["default", "slave"])
            #expect(result.ending == "slave: the drill is over, its time has passed; slave counts as up again")
            #expect(await failover.logs("the drill is over"))
            // On a busy machine the drill may have ended before the status was read.
            if try #require(failover.time(of: "the drill is over")) > seen.time {
                #expect(seen.during == engine.primaryPort)
                #expect(seen.status.contains(/\sslave +down \(drill\) +0\s/), "\(seen.status)")
            }

            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            #expect(!failover.log.contains { $0.hasPrefix("CRITICAL") })
            let events = try await failover.command("events").standardOutput
            #expect(events.contains(" DRILL slave: a drill has begun, slave counts as down for 6s\n"))
            #expect(events.contains(" DRILL_END slave: the drill is over, its time has passed;"))
            try await failover.end()
        }

        /// What was seen of one drill.
        private struct Seen {
            let result: Document
            /// The server that answered a client during the drill, and the status after that.
            let during: Int?
            let status: String
            /// When the status had been read, in seconds since 1970.
            let time: Double
        }

        /// Drills with a session on the replica, which ends.
        private func drill(
            _ failover: FailoverProcess, _ engine: Laboratory.Engine, for time: Duration
        ) async throws -> Seen {
            let port = try await failover.port()
            var drills: Int { failover.log.count { $0.contains("a drill has begun") } }
            let before = drills
            let sleep = engine == .postgres ? "select pg_sleep(250)" : "select sleep(250)"
            let session = Task { try await engine.execute(sleep, at: port) }
            #expect(
                try await eventually {
                    try await failover.command("status").standardOutput.contains(/→ slave +up +1\s/)
                })
            async let output = rehearse(failover, for: time)
            #expect(await eventually { drills > before })
            let during = try await engine.whoAnswers(at: port)
            let status = try await failover.command("status").standardOutput
            let read = Date().timeIntervalSince1970
            let failure = await #expect(throws: CommandFailure.self) { try await session.value }
            // psql's session is encrypted, so the proxy cannot send a message.
            let message = engine == .postgres ? "connection to server was lost" : "slave is down: drill"
            #expect(failure?.output.standardError.contains(message) == true, "\(String(describing: failure))")
            let result = try document(try await output)
            #expect(try await output.status == 0, "\(result.problems)")
            return Seen(result: result, during: during, status: status, time: read)
        }

        @Test func clientsThatConnectForEachTransactionDoNotNotice() async throws {
            // Transactions in progress end by themselves, so each failure would be that of a connecting client.
            let failover = try FailoverProcess(configuration: configuration(postgres, route: "on_outage: keep"))
            let port = try await failover.port()
            #expect(try await eventually { try await failover.command("status", "--ready").status == 0 })
            let load = PgbenchLoad(port: port, scratch: scratch)
            let running = Task { try await load.run() }
            let result = try await patiently(.seconds(2)) { (result: Document) in
                result.sessions.new["default"] ?? 0 > 0
            } _: {
                try document(try await rehearse(failover, for: $0))
            }
            running.cancel()
            #expect(try await running.value > 0)
            #expect(result.passed, "\(result.problems)")
            #expect(result.sessions.refused == 0)
            #expect(try #require(result.sessions.new["default"]) > 0)
            #expect(try await postgres.whoAnswers(at: port) == postgres.replicaPort)
            try await failover.end()
        }

        @Test(arguments: [SIGINT, SIGTERM])
        func anInterruptEndsItAtOnce(signal: Int32) async throws {
            let failover = try FailoverProcess(configuration: configuration(postgres))
            let port = try await failover.port()
            let drill = try await drill(failover, for: "59s")
            #expect(try await postgres.whoAnswers(at: port) == postgres.primaryPort)
            drill.signal(signal)
            #expect(try await drill.status() == 1)
            #expect(await failover.logs("the drill is over, an operator has ended it"))
            #expect(said.contains("failed: interrupted by \(signal == SIGINT ? "SIGINT" : "SIGTERM")\n"), "\(said)")
            #expect(said.contains(/new sessions +slave 0, default \d+\n/), "\(said)")
            #expect(try await postgres.whoAnswers(at: port) == postgres.replicaPort)
            try await failover.end()
        }

        @Test func itEndsByItselfWhenWhoBeganItIsKilled() async throws {
            let failover = try FailoverProcess(configuration: configuration(postgres))
            let port = try await failover.port()
            let drill = try await drill(failover, for: "4s")
            drill.signal(SIGKILL)
            #expect(try await drill.status() == -SIGKILL)
            #expect(await failover.logs("the drill is over, its time has passed; slave counts as up again"))
            let began = try #require(failover.time(of: "a drill has begun"))
            let ended = try #require(failover.time(of: "the drill is over"))
            // With a tolerance for adjustments of the log's clock.
            #expect(ended - began > 3.9)
            #expect(try await postgres.whoAnswers(at: port) == postgres.replicaPort)
            try await failover.end()
        }

        @Test func anotherOperatorMayEndItAndNobodyBeginsASecondOne() async throws {
            let failover = try FailoverProcess(configuration: configuration(postgres))
            let port = try await failover.port()
            let drill = try await drill(failover, for: "59s")
            let second = try await failover.command("drill", "slave")
            #expect(second.standardError == "a drill is already running on slave\n")
            #expect(
                try await failover.command("drill", "slave", "--end").standardOutput == "the drill on slave is over\n")
            #expect(try await drill.status() == 1)
            #expect(said.contains(/failed: the drill ended early, after \S+\n/), "\(said)")
            #expect(
                try await failover.command("drill", "slave", "--end").standardError == "there is no drill on slave\n")
            #expect(try await postgres.whoAnswers(at: port) == postgres.replicaPort)
            try await failover.end()
        }

        @Test func theOnlyAliasThatCouldServeIsDrilledByForceAlone() async throws {
            let unused = UnusedPort()
            let failover = try FailoverProcess(
                configuration: configuration(postgres, ports: [unused.port, UInt16(postgres.replicaPort)]))
            let port = try await failover.port()
            #expect(await failover.logs("CRITICAL default outage."))
            let refused = try await failover.command("drill", "slave")
            #expect(refused.status == 1)
            #expect(refused.standardError == "only slave can serve slave now; force starts the drill anyway\n")
            #expect(
                try await failover.command("drill", "slave", "--alias", "default").standardError.hasPrefix(
                    "default is already down: "))
            #expect(try await postgres.whoAnswers(at: port) == postgres.replicaPort)

            let result = try await patiently(.seconds(1)) { (result: Document) in
                result.sessions.refused > 0 && result.probes?.failed ?? 0 > 0
            } _: { time in
                let forced = try await rehearse(failover, for: time, force: true)
                #expect(forced.status == 1)
                return try document(forced)
            }
            #expect(result.sessions.refused > 0)
            #expect(
                result.problems.contains { $0.hasSuffix("refused") }
                    && result.problems.contains { $0.hasSuffix("failed") })
            #expect(try await postgres.whoAnswers(at: port) == postgres.replicaPort)
            try await failover.end()
        }

        @Test func aReplicaThatDiesMeanwhileStaysDown() async throws {
            try await Laboratory.Engine.besideEachOther { try await DrillTests().aReplicaThatDiesMeanwhile($0) }
        }

        private func aReplicaThatDiesMeanwhile(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(configuration: configuration(engine))
            let port = try await failover.port()
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            let drill = try await drill(failover, for: "30s")
            try await engine.fault("kill")
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(try await failover.command("status").standardOutput.contains(/\sslave +down, drill\s/))
            #expect(try await drill.status() == 1)
            #expect(said.contains("failed: slave is down: slave: "), "\(said)")
            #expect(await failover.logs("the drill is over, its time has passed; slave stays down: "))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await failover.end()
        }

        @Test func aReloadLeavesItAndATakeoverEndsIt() async throws {
            let text = configuration(postgres) + "takeover_socket: \(scratch.path("takeover"))\n"
            let failover = try FailoverProcess(configuration: text)
            let port = try await failover.port()
            let drill = try await drill(failover, for: "59s")
            try failover.configure(text + "shutdown_grace: 5s\n")
            #expect(try await failover.command("reload").status == 0)
            #expect(try await postgres.whoAnswers(at: port) == postgres.primaryPort)
            let next = try FailoverProcess(configuration: text, arguments: ["--takeover"])
            #expect(await next.logs("NOTICE took over from the former process"))
            #expect(await failover.logs("the drill is over, another process takes over"))
            #expect(try await failover.status() == 0)
            #expect(try await postgres.whoAnswers(at: port) == postgres.replicaPort)
            #expect(try await drill.status() == 1)
            #expect(said.contains("failed: another process has taken over,"), "\(said)")
            try await next.end()
        }

        @Test func whatCannotBeAskedForIsWrongUsage() async throws {
            let failover = try FailoverProcess(configuration: configuration(postgres))
            _ = try await failover.port()
            for time in ["0s", "61m", "soon"] {
                #expect(try await failover.command("drill", "slave", "--for", time).status == 64, "\(time)")
            }
            let unknown = try await failover.command("drill", "nobody")
            #expect(unknown.status == 1)
            #expect(unknown.standardError == "there is no route nobody\n")
            #expect(
                try await failover.command("drill", "slave", "--alias", "x").standardError
                    == "route slave has no alias x\n")
            try await failover.end()
        }
    }
}
